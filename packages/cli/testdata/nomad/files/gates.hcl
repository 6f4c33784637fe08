gate "conditions" "own" {}
