# The settings of one service, in the key-value store and at the cloud.
terraform {
  required_version = ">= 1.5.0, < 2.0.0"
  required_providers {
    consul = {
      source  = "hashicorp/consul"
      version = "~> 2.20"
    }
  }
}

variable "stage" {
  type        = string
  description = "Which of the stages this is: \"test\" or \"live\""
  default     = "test"
  validation {
    condition     = contains(["test", "live"], var.stage)
    error_message = "There is no stage \"${var.stage}\"."
  }
}

variable "limits" {
  type = map(object({
    memory = number
    cpu    = optional(number, 0.5)
  }))
  default = {
    web    = { memory = 256 },
    "db-1" = { memory = 1024, cpu = 2 }
    (upper("x")) = { memory : 1e3 }
  }
}

locals {
  names    = [for name, limit in var.limits : name if limit.memory >= 256 && limit.cpu != null]
  by_size  = { for name, limit in var.limits : limit.memory > 512 ? "large" : "small" => name... }
  hosts    = consul_service.db[*].address
  first    = element(local.hosts, 0)
  legacy   = consul_service.db.0.address
  all_tags = consul_service.db.*.tags.0
  sum      = -(1 + 2 * 3 - 4 / 5 % 6)
  logic    = !(true || false) && 1 < 2 == (3 >= 4)
  digits   = [0, 007, 1.50, 1e-9, 6.02214076e23, 123456789012345678901234567890.5]
  path     = "${path.module}/files/${lower("A")}.txt" // where it lies
  literal  = "$${not} %%{this} $ % \u00e9\U0001F600\t\n\r\\"
  core     = provider::consul::parse("a") /* inside */ # behind
}

resource "consul_service" "db" {
  for_each = toset(local.names)
  name     = each.key
  node     = each.value
  port     = lookup({ web = 80 }, each.key, 5432)
  tags     = concat(["db", "stage-${var.stage}"], [for i in range(3) : format("n%d", i)]...)

  check { http = "http://localhost/" }
  dynamic "check" {
    for_each = var.stage == "live" ? [1, 2] : []
    iterator = nth
    content {
      check_id = "c${nth.value}"
      notes    = <<-EOT
        First line of ${nth.key}
          indented %{if nth.value > 1~} more
        %{~else~}
          less
        %{~endif}
        cost: $5 and 100%
      EOT
    }
  }

  lifecycle {
    ignore_changes = [
      tags["owner"], # by others
      node,
    ]
  }
}

output "script" {
  value = <<SCRIPT
#!/bin/sh
%{for host in local.hosts}echo ${host} >> "$HOSTS"
%{endfor}exit $${CODE:-0}
SCRIPT
}
