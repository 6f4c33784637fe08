terraform {
  required_providers {
    vault = {
      source = "hashicorp/vault"
    }
  }
}

variable "database_address" {
  description = "HOST:PORT/DATABASE of a PostgreSQL."
  default     = "127.0.0.1:5432/myapp"
}

variable "database_user" {
  description = "Who may make roles there."
  default     = "postgres"
}

variable "database_password" {
  description = "Is in no plan and no state. Give it anew to each apply, as TF_VAR_database_password."
  type        = string
  ephemeral   = true
}

resource "vault_mount" "postgresql" {
  path = "postgresql"
  type = "database"
}

resource "vault_database_secret_backend_connection" "myapp" {
  backend       = vault_mount.postgresql.path
  name          = "myapp"
  allowed_roles = ["readonly"]

  postgresql {
    connection_url      = "postgresql://{{username}}:{{password}}@${var.database_address}"
    username            = var.database_user
    password_wo         = var.database_password
    password_wo_version = 1
  }
}

resource "vault_database_secret_backend_role" "readonly" {
  backend     = vault_mount.postgresql.path
  name        = "readonly"
  db_name     = vault_database_secret_backend_connection.myapp.name
  default_ttl = 3600
  max_ttl     = 86400

  creation_statements = [
    "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'",
    "GRANT SELECT ON ALL TABLES IN SCHEMA public TO \"{{name}}\"",
  ]
}

resource "vault_policy" "readonly" {
  name   = "myapp-readonly"
  policy = data.vault_policy_document.readonly.hcl
}

data "vault_policy_document" "readonly" {
  rule {
    path         = "postgresql/creds/readonly"
    capabilities = ["read"]
  }
}
