# The factory's books: a PostgreSQL as a job like any other.

variable "artifacts" {
  description = "Where the archives of the factory lie."
  type        = string
}

variable "postgres_bin" {
  description = "The folder of PostgreSQL's programs on the node."
  type        = string
}

variable "postgres_libraries" {
  description = "Where they look for their libraries, beside the usual places."
  type        = string
}

variable "run_as" {
  description = "Whom it runs as; PostgreSQL refuses to run as root. Empty for the agent's own user."
  type        = string
}

variable "data" {
  description = "A folder on the node that outlives the job."
  type        = string
}

variable "port" {
  type = number
}

variable "on" {
  description = "The name of the node that has the data, as a regular expression."
  type        = string
}

variable "datacenter" {
  type    = string
  default = "dc1"
}

job "factory-db" {
  datacenters = [var.datacenter]

  constraint {
    attribute = "${node.unique.name}"
    operator  = "regexp"
    value     = var.on
  }

  group "db" {
    network {
      port "db" {
        static = var.port
      }
    }

    # The data is here and nowhere else: it is started again and again.
    restart {
      attempts = 20
      interval = "1m"
      delay    = "3s"
      mode     = "delay"
    }

    update {
      min_healthy_time = "500ms"
      healthy_deadline = "1m"
      stagger          = "1s"
    }

    task "postgres" {
      driver = "raw_exec"

      config {
        command = "/bin/sh"
        args    = ["local/start.sh"]
      }

      env {
        DATA            = var.data
        POSTGRES_BIN    = var.postgres_bin
        LD_LIBRARY_PATH = var.postgres_libraries
        RUN_AS          = var.run_as
        HOST            = "${NOMAD_IP_db}"
        PORT            = "${NOMAD_PORT_db}"
      }

      artifact {
        source = "${var.artifacts}/database.tar.gz"
      }

      vault {
        role = "factory-db"
      }

      template {
        data        = "{{ with secret \"secret/data/factory/database\" }}{{ .Data.data.password }}{{ end }}\n"
        destination = "secrets/password"
        change_mode = "noop"
      }

      # SIGINT is PostgreSQL's fast shutdown: open transactions are rolled back.
      kill_signal  = "SIGINT"
      kill_timeout = "10s"

      service {
        name = "my-db"
        tags = ["leader"]
        port = "db"

        check {
          name     = "answers"
          type     = "tcp"
          interval = "1s"
          timeout  = "1s"
        }
      }

      resources {
        cpu    = 200
        memory = 256
      }
    }
  }
}
