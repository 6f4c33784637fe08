variable "step" {
  default = 1
}

resource "time_static" "release" {
  rfc3339 = "2026-01-0${var.step}T10:00:00Z"
}

resource "time_offset" "later" {
  base_rfc3339 = time_static.release.rfc3339
  offset_days  = var.step
}

resource "time_rotating" "yearly" {
  rfc3339        = "2026-01-01T00:00:00Z"
  rotation_years = 10
}

resource "time_sleep" "short" {
  create_duration = "10ms"
  triggers        = { step = var.step }
}

output "parsed" {
  value = provider::time::rfc3339_parse("2026-01-01T10:00:00Z").weekday_name
}

terraform {
  required_providers {
    time = { source = "hashicorp/time" }
  }
}
