terraform {
  required_providers {
    vault = {
      source = "hashicorp/vault"
    }
    nomad = {
      source = "hashicorp/nomad"
    }
    consul = {
      source = "hashicorp/consul"
    }
  }
}

variable "artifacts" {
  description = "Where the archives of the program and of the database's start lie: a folder or a URL that every node reaches."
  type        = string
}

variable "release" {
  description = "Which version of the program runs."
  default     = "1"
}

variable "instances" {
  description = "How many of the program run."
  default     = 3
}

variable "driver" {
  description = "How the program runs: raw_exec, as one of the node; or docker, from an image."
  default     = "raw_exec"
}

variable "node" {
  description = "The Node that runs the program as one of the node."
  default     = "node"
}

variable "postgres_bin" {
  description = "The folder of PostgreSQL's programs, on the nodes."
  type        = string
}

variable "postgres_libraries" {
  description = "Where they look for their libraries, beside the usual places."
  default     = ""
}

variable "postgres_user" {
  description = "Whom PostgreSQL runs as, which refuses to run as root; empty for the agent's own user."
  default     = ""
}

variable "postgres_data" {
  description = "A folder for the orders that PostgreSQL's user may write, on the node that has the database."
  type        = string
}

variable "postgres_node" {
  description = "The name of that node, as a regular expression; any by default."
  default     = "."
}

variable "postgres_address" {
  description = "HOST:PORT of the database, as the secrets server reaches it."
  default     = "127.0.0.1:5432"
}

variable "postgres_password" {
  description = "Of PostgreSQL's own user. It is in no plan and no state: given to each apply, as TF_VAR_postgres_password."
  type        = string
  ephemeral   = true
}

variable "nomad_address" {
  description = "Where the keys of workload identities are published, as the secrets server reaches it."
  default     = "http://127.0.0.1:4646"
}

variable "datacenter" {
  description = "Of the nodes."
  default     = "dc1"
}
