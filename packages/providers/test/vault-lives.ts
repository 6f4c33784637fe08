import type { ContractCase } from "@millwright/provider/testing/contract";

/** A connection that nobody makes. */
const database = {
  backend: "db",
  name: "app",
  verify_connection: false,
  allowed_roles: ["readonly"],
  postgresql: [
    { connection_url: "postgresql://{{username}}:{{password}}@127.0.0.1:1/app", username: "admin", password: "hush" },
  ],
};

const plugin = { plugin_name: "postgresql-database-plugin", verify_connection: false };

/** Of a key that nobody has. */
const publicKey =
  "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEVshjN1Jn5cUQKEptlD+gDQCgUm+4\nWg91R11bxDWb7rJDsuinUtV4+AsrtEO2lMrK+RE8fO97i3Lc7R525arMvg==\n-----END PUBLIC KEY-----";

/** A life for each resource of the vault provider, on a server that has what {@link givenForLives} makes. */
export const vaultLives: readonly ContractCase[] = [
  {
    type: "vault_mount",
    config: { path: "full", type: "kv", description: "all", options: { version: "2" }, max_lease_ttl_seconds: 7200 },
    changes: [
      { path: "full", type: "kv", options: { version: "2" }, default_lease_ttl_seconds: 60 },
      { path: "moved/deeper", type: "kv", options: { version: "2" } },
      { path: "moved", type: "kv-v2" },
      { path: "moved", type: "kv-v2", listing_visibility: "unauth", audit_non_hmac_request_keys: ["a"] },
    ],
    importId: () => "full/",
    interrupted: "present",
  },
  {
    type: "vault_policy",
    config: { name: "dev", policy: 'path "a" {\n  capabilities = ["read"]\n}\n' },
    changes: [
      { name: "dev", policy: 'path "b" {\n  capabilities = ["list"]\n}\n' },
      { name: "ops", policy: "# nothing" },
    ],
    importId: () => "dev",
    interrupted: "present",
  },
  {
    type: "vault_generic_secret",
    config: { path: "plain/one", data_json: '{ "b": "x", "a": 1, "c": { "d": [1, true] } }' },
    changes: [
      { path: "plain/one", data_json: '{"a":2}', disable_read: true },
      { path: "kv/two", data_json: '{"a":"<&>"}', delete_all_versions: true },
    ],
    importId: () => "plain/one",
    interrupted: "present",
  },
  {
    type: "vault_kv_secret_v2",
    config: { mount: "kv", name: "app/one", data_json: '{ "zip": "zap", "n": 5 }', cas: 0 },
    changes: [
      { mount: "kv", name: "app/one", data_json: '{"zip":"zup"}', custom_metadata: [{ max_versions: 5 }] },
      { mount: "kv", name: "app/one", data_json: '{"zip":"zup"}', custom_metadata: [{ data: { owner: "jo" } }] },
      { mount: "kv", name: "app/one", data_json_wo: '{"zip":"zop"}', data_json_wo_version: 1 },
      { mount: "kv", name: "other", data_json: "{}", disable_read: true, delete_all_versions: true },
    ],
    importId: () => "kv/data/app/one",
    interrupted: "present",
  },
  {
    type: "vault_kv_secret_backend_v2",
    config: { mount: "kv", max_versions: 7, delete_version_after: 12_600 },
    changes: [{ mount: "kv", max_versions: 8, cas_required: true, delete_version_after: 0 }],
    importId: () => "kv/config",
    // The settings of an engine are there whoever wrote them: they are written again.
    interrupted: "absent",
  },
  {
    type: "vault_database_secret_backend_connection",
    config: database,
    changes: [
      { ...database, allowed_roles: null, root_rotation_statements: ["ALTER ROLE x"] },
      { ...database, postgresql: [{ ...database.postgresql[0], password: "other", max_open_connections: 7 }] },
      { ...database, name: "two", postgresql: [{ connection_url: "postgresql://u:secret@127.0.0.1:1/app" }] },
    ],
    importId: () => "db/config/app",
    interrupted: "present",
  },
  {
    type: "vault_database_secret_backend_role",
    config: { backend: "db", name: "readonly", db_name: "there", creation_statements: ["CREATE ROLE {{name}}"] },
    changes: [
      {
        ...{ backend: "db", name: "readonly", db_name: "there", creation_statements: ["CREATE ROLE {{name}}"] },
        ...{ revocation_statements: ["DROP ROLE {{name}}"], default_ttl: 60, max_ttl: 120 },
      },
      { backend: "db", name: "readonly", db_name: "there", creation_statements: ["a {{name}}", "b"], max_ttl: 120 },
    ],
    importId: () => "db/roles/readonly",
    interrupted: "present",
  },
  {
    type: "vault_jwt_auth_backend",
    config: { path: "jwt-one", description: "tasks", jwt_validation_pubkeys: [publicKey], default_role: "r" },
    changes: [
      {
        path: "jwt-one",
        description: "tasks",
        jwt_validation_pubkeys: [publicKey],
        jwt_supported_algs: ["RS256"],
      },
      { path: "jwt-two", jwt_validation_pubkeys: [publicKey] },
    ],
    importId: () => "jwt-one",
    interrupted: "present",
  },
  {
    type: "vault_jwt_auth_backend_role",
    config: {
      backend: "jwt",
      role_name: "web",
      role_type: "jwt",
      bound_audiences: ["vault.io"],
      bound_claims: { nomad_job_id: "web, api" },
      user_claim: "/nomad_job_id",
      user_claim_json_pointer: true,
      claim_mappings: { nomad_task: "task" },
      token_policies: ["web"],
      token_period: 1800,
      token_type: "service",
    },
    changes: [
      { backend: "jwt", role_name: "web", role_type: "jwt", bound_audiences: ["a", "b"], user_claim: "sub" },
      { backend: "jwt", role_name: "other", role_type: "jwt", bound_subject: "s", user_claim: "sub", token_ttl: 60 },
    ],
    importId: () => "auth/jwt/role/web",
    interrupted: "present",
  },
];

/** What has to be there before the lives, as requests of the API: `plain/` (kv 1), `kv/` (kv 2), `db/` and its connection. */
export const givenForLives: readonly (readonly [string, unknown])[] = [
  ["POST sys/mounts/plain", { type: "kv" }],
  ["POST sys/mounts/kv", { type: "kv", options: { version: "2" } }],
  ["POST sys/mounts/db", { type: "database" }],
  ["POST db/config/there", { ...database.postgresql[0], ...plugin }],
  ["POST sys/auth/jwt", { type: "jwt" }],
];
