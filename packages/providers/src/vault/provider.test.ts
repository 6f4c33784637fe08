import type { Provider } from "@millwright/provider/protocol";
import { type ContractCase, configureForTest, contractViolations } from "@millwright/provider/testing/contract";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startVault, type VaultServer } from "../../test/vault-server.ts";
import { vaultProvider } from "./provider.ts";

let vault: VaultServer;
let provider: Provider;

beforeEach(async () => {
  vault = await startVault();
  provider = vaultProvider({ VAULT_ADDR: vault.address, VAULT_TOKEN: vault.rootToken }).start();
  await configureForTest(provider);
  await vault.ask("POST sys/mounts/plain", { type: "kv" });
  await vault.ask("POST sys/mounts/kv", { type: "kv", options: { version: "2" } });
  await vault.ask("POST sys/mounts/db", { type: "database" });
});
afterEach(async () => {
  await provider.close();
  await vault.close();
});

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

const lives: readonly (Omit<ContractCase, "importId"> & { readonly id: string })[] = [
  {
    type: "vault_mount",
    config: { path: "full", type: "kv", description: "all", options: { version: "2" }, max_lease_ttl_seconds: 7200 },
    changes: [
      { path: "full", type: "kv", options: { version: "2" }, default_lease_ttl_seconds: 60 },
      { path: "moved/deeper", type: "kv", options: { version: "2" } },
      { path: "moved", type: "kv-v2" },
      { path: "moved", type: "kv-v2", listing_visibility: "unauth", audit_non_hmac_request_keys: ["a"] },
    ],
    id: "full/",
  },
  {
    type: "vault_policy",
    config: { name: "dev", policy: 'path "a" {\n  capabilities = ["read"]\n}\n' },
    changes: [
      { name: "dev", policy: 'path "b" {\n  capabilities = ["list"]\n}\n' },
      { name: "ops", policy: "# nothing" },
    ],
    id: "dev",
  },
  {
    type: "vault_generic_secret",
    config: { path: "plain/one", data_json: '{ "b": "x", "a": 1, "c": { "d": [1, true] } }' },
    changes: [
      { path: "plain/one", data_json: '{"a":2}', disable_read: true },
      { path: "kv/two", data_json: '{"a":"<&>"}', delete_all_versions: true },
    ],
    id: "plain/one",
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
    id: "kv/data/app/one",
  },
  {
    type: "vault_kv_secret_backend_v2",
    config: { mount: "kv", max_versions: 7, delete_version_after: 12_600 },
    changes: [{ mount: "kv", max_versions: 8, cas_required: true, delete_version_after: 0 }],
    id: "kv/config",
  },
  {
    type: "vault_database_secret_backend_connection",
    config: database,
    changes: [
      { ...database, allowed_roles: null, root_rotation_statements: ["ALTER ROLE x"] },
      { ...database, postgresql: [{ ...database.postgresql[0], password: "other", max_open_connections: 7 }] },
      { ...database, name: "two", postgresql: [{ connection_url: "postgresql://u:secret@127.0.0.1:1/app" }] },
    ],
    id: "db/config/app",
  },
  {
    type: "vault_database_secret_backend_role",
    config: { backend: "db", name: "readonly", db_name: "app", creation_statements: ["CREATE ROLE {{name}}"] },
    changes: [
      {
        ...{ backend: "db", name: "readonly", db_name: "app", creation_statements: ["CREATE ROLE {{name}}"] },
        ...{ revocation_statements: ["DROP ROLE {{name}}"], default_ttl: 60, max_ttl: 120 },
      },
      { backend: "db", name: "readonly", db_name: "app", creation_statements: ["a {{name}}", "b"], max_ttl: 120 },
    ],
    id: "db/roles/readonly",
  },
];

test.each(lives)("$type keeps the provider contract, and leaves nothing", async ({ id, ...life }) => {
  const mounts = (await vault.ask("GET sys/mounts")).data;
  if (life.type.endsWith("_role")) await vault.ask("PUT db/config/app", { ...database.postgresql[0], ...plugin });
  // The settings of an engine are there whoever wrote them: they are written again.
  const interrupted = life.type === "vault_kv_secret_backend_v2" ? "absent" : "present";
  expect(await contractViolations(provider, { ...life, importId: () => id, interrupted })).toEqual([]);
  expect((await vault.ask("GET sys/mounts")).data).toEqual(mounts);
});
