variable "count" {
  default = 1
}

variable "version" {
  type = string
}

job "web" {
  region = "apac"

  group "app" {
    count = var.count

    task "server" {
      driver = "raw_exec"

      config {
        command = "server"
        args    = [var.version]
      }
    }
  }
}
