variable "step" {
  default = 1
}

resource "random_integer" "seeded" {
  min     = 1
  max     = 50000
  seed    = "widget-${var.step}"
  keepers = { step = var.step }
}

resource "random_shuffle" "seeded" {
  input        = ["a", "b", "c", "d", "e"]
  result_count = 3
  seed         = "widget"
}

resource "random_password" "secret" {
  length           = 20 + var.step
  override_special = "!#"
}

resource "random_id" "id" {
  byte_length = 8
  prefix      = "w-"
}

resource "random_uuid" "uuid" {}

output "shuffled" {
  value = random_shuffle.seeded.result
}
