region = "eu-west-1"
zones = ["a", "b", "c"]
"quoted" = 1
tags = {
  Owner : "ops", Cost = 12.5
  "with space" = null
}
