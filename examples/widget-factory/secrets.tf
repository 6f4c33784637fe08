# Who may have which secret. A task shows who it is, and gets a token of its own for as long as it runs.

resource "vault_jwt_auth_backend" "workloads" {
  path         = "jwt-nomad"
  description  = "The tasks of jobs, by their signed identities."
  jwks_url     = "${var.nomad_address}/.well-known/jwks.json"
  default_role = "nomad-workloads"
}

resource "vault_jwt_auth_backend_role" "job" {
  for_each = {
    factory-db = vault_policy.database.name
    widgets    = vault_policy.widgets.name
  }

  backend                 = vault_jwt_auth_backend.workloads.path
  role_name               = each.key
  role_type               = "jwt"
  bound_audiences         = ["vault.io"]
  bound_claims            = { nomad_job_id = each.key }
  user_claim              = "/nomad_job_id"
  user_claim_json_pointer = true
  claim_mappings = {
    nomad_job_id = "nomad_job_id"
    nomad_task   = "nomad_task"
  }
  token_policies = [each.value]
  token_period   = 1800
  token_type     = "service"
}

resource "vault_policy" "database" {
  name   = "factory-db"
  policy = <<-EOT
    path "secret/data/factory/database" { capabilities = ["read"] }
  EOT
}

resource "vault_policy" "widgets" {
  name   = "widgets"
  policy = <<-EOT
    path "postgresql/creds/widgets" { capabilities = ["read"] }
  EOT
}

# The password of PostgreSQL's own user: the database's job reads it here once, to make the database.
resource "vault_kv_secret_v2" "database" {
  mount                = "secret"
  name                 = "factory/database"
  data_json_wo         = jsonencode({ password = var.postgres_password })
  data_json_wo_version = 1
}

resource "vault_mount" "postgresql" {
  path = "postgresql"
  type = "database"
}

resource "vault_database_secret_backend_connection" "factory" {
  backend       = vault_mount.postgresql.path
  name          = "factory"
  allowed_roles = ["widgets"]

  postgresql {
    connection_url      = "postgresql://{{username}}:{{password}}@${var.postgres_address}/factory?sslmode=disable"
    username            = "postgres"
    password_wo         = var.postgres_password
    password_wo_version = 1
  }

  # It is tried when it is written: the database has to answer.
  depends_on = [nomad_job.database]
}

resource "vault_database_secret_backend_role" "widgets" {
  backend     = vault_mount.postgresql.path
  name        = "widgets"
  db_name     = vault_database_secret_backend_connection.factory.name
  default_ttl = 3600
  max_ttl     = 86400

  creation_statements = [
    "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'",
    "GRANT SELECT, INSERT ON orders TO \"{{name}}\"",
  ]
}
