variable "step" {
  default = 1
}

resource "null_resource" "plain" {}

resource "null_resource" "triggered" {
  triggers = { step = var.step }
}

data "null_data_source" "inputs" {
  inputs = { step = var.step }
}

output "step" {
  value = data.null_data_source.inputs.outputs.step
}
