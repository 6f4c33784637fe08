import type { Provider } from "@millwright/provider/protocol";
import { configureForTest, contractViolations } from "@millwright/provider/testing/contract";
import { Drive } from "@millwright/provider/testing/drive";
import { isNull } from "@millwright/value/value";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { givenForLives, vaultLives } from "../../test/vault-lives.ts";
import { startVault, type VaultServer } from "../../test/vault-server.ts";
import { vaultProvider } from "./provider.ts";

let vault: VaultServer;
let provider: Provider;

beforeEach(async () => {
  vault = await startVault();
  provider = vaultProvider({ VAULT_ADDR: vault.address, VAULT_TOKEN: vault.rootToken }).start();
  await configureForTest(provider);
  for (const [line, body] of givenForLives) await vault.ask(line, body);
});
afterEach(async () => {
  await provider.close();
  await vault.close();
});

test.each(vaultLives)("$type keeps the provider contract, and leaves nothing", async (life) => {
  const mounts = (await vault.ask("GET sys/mounts")).data;
  expect(await contractViolations(provider, life)).toEqual([]);
  expect((await vault.ask("GET sys/mounts")).data).toEqual(mounts);
});

describe("what was removed by hand is gone, and its end is no error:", () => {
  test.each([
    { type: "vault_mount", config: { path: "x", type: "kv" }, remove: "DELETE sys/mounts/x" },
    { type: "vault_policy", config: { name: "p", policy: "# p" }, remove: "DELETE sys/policies/acl/p" },
    { type: "vault_generic_secret", config: { path: "plain/s", data_json: '{"a":1}' }, remove: "DELETE plain/s" },
    { type: "vault_generic_secret", config: { path: "kv/s", data_json: "{}" }, remove: "DELETE kv/data/s" },
    { type: "vault_kv_secret_v2", config: { mount: "kv", name: "s", data_json: "{}" }, remove: "DELETE sys/mounts/kv" },
    { type: "vault_kv_secret_backend_v2", config: { mount: "kv" }, remove: "DELETE sys/mounts/kv" },
    {
      type: "vault_database_secret_backend_role",
      config: { backend: "db", name: "r", db_name: "there", creation_statements: ["CREATE ROLE {{name}}"] },
      remove: "DELETE db/roles/r",
    },
  ])("$type, by $remove", async ({ type, config, remove }) => {
    const drive = await Drive.of(provider, type);
    const { state } = await drive.apply(config);
    expect(isNull((await drive.read(state)).state)).toBe(false);
    await vault.ask(remove);
    const read = await drive.read(state);
    expect([isNull(read.state), read.diagnostics]).toEqual([true, []]);
    expect((await drive.destroy(state)).diagnostics).toEqual([]);
  });
});

describe("vault_kv_secret_v2", () => {
  const secret = { mount: "kv", name: "app" };

  test("writes another version for other data alone", async () => {
    const drive = await Drive.of(provider, "vault_kv_secret_v2");
    const first = await drive.apply({ ...secret, data_json: '{"a":1}' });
    const settings = { ...secret, data_json: '{ "a": 1 }', custom_metadata: [{ max_versions: 3, data: { by: "jo" } }] };
    const second = await drive.apply(settings, first.state);
    expect(second.plain).toMatchObject({ metadata: { version: "1", custom_metadata: '{"by":"jo"}' } });
    const third = await drive.apply({ ...settings, data_json: '{"a":2}' }, second.state);
    expect(third.plain).toMatchObject({ metadata: { version: "2" }, data: {} });
  });

  test("puts right what was changed by hand, and sees nothing of what is write-only", async () => {
    const drive = await Drive.of(provider, "vault_kv_secret_v2");
    const shown = await drive.apply({ ...secret, data_json: '{"a":"mine"}' });
    const writeOnly = { mount: "kv", name: "wo", data_json_wo: '{"a":"mine"}', data_json_wo_version: 1 };
    const hidden = await drive.apply(writeOnly);
    for (const name of ["app", "wo"]) await vault.ask(`POST kv/data/${name}`, { data: { a: "theirs" } });
    expect((await drive.read(shown.state)).plain.data_json).toBe('{"a":"theirs"}');
    const seen = await drive.read(hidden.state);
    expect(JSON.stringify(seen.plain)).not.toMatch(/mine|theirs/);
    await drive.apply({ ...writeOnly, data_json_wo_version: 2 }, seen.state);
    expect((await vault.ask("GET kv/data/wo")).data).toMatchObject({ data: { a: "mine" }, metadata: { version: 3 } });
  });

  test("keeps a state as it is that writes the same JSON in another way", async () => {
    const drive = await Drive.of(provider, "vault_kv_secret_v2");
    // As Go writes it, and with it the registry's provider.
    const escaped = '{"html":"\\u003cb\\u003e"}';
    const { state } = await drive.apply({ ...secret, data_json: escaped });
    const stored = (await drive.upgrade(0, { ...(await drive.read(state)).plain, data_json: escaped })).state;
    expect((await drive.read(stored)).plain.data_json).toBe(escaped);
    expect((await drive.plan({ ...secret, data_json: '{"html": "<b>"}' }, stored)).plain.data_json).toBe(escaped);
  });
});
