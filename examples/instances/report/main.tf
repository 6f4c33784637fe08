variable "addresses" {
  description = "Where all services are"
  type        = list(string)
}

resource "local_file" "report" {
  filename = "${path.cwd}/../made/report.txt"
  content  = join("\n", concat(sort(var.addresses), [""]))
}

output "count" {
  value = length(var.addresses)
}
