variable "region" {
  description = "Where the network is"
  type        = string
}

resource "random_pet" "name" {
  prefix = var.region
}

resource "random_integer" "first_port" {
  min = 8000
  max = 8999
}

output "name" {
  value = random_pet.name.id
}

output "first_port" {
  value = random_integer.first_port.result
}
