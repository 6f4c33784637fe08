# The program: several instances of one group, each an api and a web page beside it.

variable "artifacts" {
  description = "Where the archives of the factory lie."
  type        = string
}

variable "release" {
  description = "Which version of the program runs."
  type        = string
}

variable "instances" {
  type = number
}

variable "driver" {
  description = "How it runs: raw_exec, as a program of the node; or docker, from an image."
  type        = string
}

variable "node" {
  description = "The Node that runs it as a program of the node."
  type        = string
}

variable "datacenter" {
  type    = string
  default = "dc1"
}

locals {
  archive = var.driver == "docker" ? "widgets-image" : "widgets"
  files   = ["--login=${NOMAD_SECRETS_DIR}/database.json", "--settings=${NOMAD_TASK_DIR}/settings.json"]

  # A login of the task's own, to the database where it is now: also while it does not answer.
  login = <<-EOT
    {{- with secret "postgresql/creds/widgets" }}
    {{- $user := .Data.username }}{{ $password := .Data.password }}
    {{- range service "leader.my-db|any" }}
    {"host": "{{ .Address }}", "port": {{ .Port }}, "database": "factory",
     "user": "{{ $user }}", "password": "{{ $password }}"}
    {{- end }}{{ end }}
  EOT

  settings = "{\"widgets_per_minute\": {{ key \"factory/widgets_per_minute\" }}}\n"
}

job "widgets" {
  datacenters = [var.datacenter]

  # One at a time; the next when the last was well for two seconds. What does not come up well is taken back.
  update {
    max_parallel      = 1
    stagger           = "1s"
    min_healthy_time  = "2s"
    healthy_deadline  = "30s"
    progress_deadline = "1m"
    auto_revert       = true
  }

  group "widgets" {
    count = var.instances

    network {
      port "api" {}
      port "web" {}
    }

    restart {
      attempts = 3
      interval = "30s"
      delay    = "500ms"
      mode     = "fail"
    }

    reschedule {
      delay          = "5s"
      delay_function = "constant"
      unlimited      = true
    }

    task "api" {
      driver = var.driver

      # Who has found it by its name a moment ago still gets an answer.
      shutdown_delay = "3s"

      dynamic "config" {
        for_each = var.driver == "docker" ? [] : ["program"]

        content {
          command = var.node
          args    = concat(["local/widgets.cjs", "--mode=api"], local.files)
        }
      }

      dynamic "config" {
        for_each = var.driver == "docker" ? ["image"] : []

        content {
          image        = "widgets:${var.release}"
          load         = "widgets.tar"
          command      = "/usr/bin/node"
          args         = concat(["/app/widgets.cjs", "--mode=api"], local.files)
          network_mode = "host"
        }
      }

      env {
        HOST = "${NOMAD_IP_api}"
        PORT = "${NOMAD_PORT_api}"
      }

      artifact {
        source = "${var.artifacts}/${local.archive}-${var.release}.tar.gz"
      }

      vault {
        role        = "widgets"
        change_mode = "signal"
      }

      template {
        data          = local.login
        destination   = "secrets/database.json"
        change_mode   = "signal"
        change_signal = "SIGHUP"
      }

      template {
        data        = local.settings
        destination = "local/settings.json"
        change_mode = "noop"
      }

      service {
        name = "${TASKGROUP}"
        tags = ["api"]
        port = "api"

        check {
          type     = "http"
          path     = "/health.txt"
          interval = "1s"
          timeout  = "2s"
        }
      }

      resources {
        cpu    = 100
        memory = 128
      }
    }

    task "web" {
      driver = var.driver

      # Who has found it by its name a moment ago still gets an answer.
      shutdown_delay = "3s"

      dynamic "config" {
        for_each = var.driver == "docker" ? [] : ["program"]

        content {
          command = var.node
          args    = concat(["local/widgets.cjs", "--mode=web"], local.files)
        }
      }

      dynamic "config" {
        for_each = var.driver == "docker" ? ["image"] : []

        content {
          image        = "widgets:${var.release}"
          load         = "widgets.tar"
          command      = "/usr/bin/node"
          args         = concat(["/app/widgets.cjs", "--mode=web"], local.files)
          network_mode = "host"
        }
      }

      env {
        HOST = "${NOMAD_IP_web}"
        PORT = "${NOMAD_PORT_web}"
      }

      artifact {
        source = "${var.artifacts}/${local.archive}-${var.release}.tar.gz"
      }

      vault {
        role        = "widgets"
        change_mode = "signal"
      }

      template {
        data          = local.login
        destination   = "secrets/database.json"
        change_mode   = "signal"
        change_signal = "SIGHUP"
      }

      template {
        data        = local.settings
        destination = "local/settings.json"
        change_mode = "noop"
      }

      service {
        name = "${TASKGROUP}"
        tags = ["web"]
        port = "web"

        check {
          type     = "http"
          path     = "/health.txt"
          interval = "1s"
          timeout  = "2s"
        }
      }

      resources {
        cpu    = 100
        memory = 128
      }
    }
  }
}
