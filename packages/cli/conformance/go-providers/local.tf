variable "step" {
  default = 1
}

resource "local_file" "greeting" {
  filename        = "out/greeting.txt"
  content         = "step ${var.step}"
  file_permission = "0640"
}

resource "local_sensitive_file" "secret" {
  filename = "out/secret.txt"
  content  = "s3cret"
}

data "local_file" "greeting" {
  filename = local_file.greeting.filename
}

output "content" {
  value = data.local_file.greeting.content
}

output "here" {
  value = provider::local::direxists("${path.module}")
}

terraform {
  required_providers {
    local = { source = "hashicorp/local" }
  }
}
