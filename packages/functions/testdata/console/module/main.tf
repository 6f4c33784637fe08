terraform {
  required_providers {
    terraform = {
      source = "terraform.io/builtin/terraform"
    }
  }
}

variable "secret" {
  type      = string
  default   = "hunter2"
  sensitive = true
}

variable "secret_number" {
  type      = number
  default   = 42
  sensitive = true
}

variable "secret_list" {
  type      = list(string)
  default   = ["b", "a"]
  sensitive = true
}

variable "token" {
  type      = string
  default   = "t-123"
  ephemeral = true
}

variable "greeting" {
  type    = string
  default = "Hello, $${name}!"
}

variable "broken" {
  type    = string
  default = "Hello, $${name"
}

variable "calls" {
  type    = string
  default = "$${upper(name)}"
}

variable "private_key" {
  type    = string
  default = null
}

locals {
  loop    = "%%{ for x in list }$${x},%%{ endfor }"
  number  = 12
  nothing = null
}

resource "terraform_data" "pending" {}

locals {
  key       = "a"
  templates = { a = "Hi $${name}", b = ["x$${name}"], c = "$${name}" }
}
