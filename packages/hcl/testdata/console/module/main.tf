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

locals {
  number  = 12
  nothing = null
}

# Never applied: what it gives is not known.
resource "terraform_data" "pending" {}
