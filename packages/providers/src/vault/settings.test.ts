import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Provider } from "@millwright/provider/protocol";
import { configureForTest } from "@millwright/provider/testing/contract";
import { Drive } from "@millwright/provider/testing/drive";
import { objectFor, plainOf } from "@millwright/provider/testing/objects";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startVault, type VaultServer } from "../../test/vault-server.ts";
import { vaultProvider } from "./provider.ts";

let vault: VaultServer;
let folder: string;
const started: Provider[] = [];

beforeAll(async () => {
  vault = await startVault();
  folder = mkdtempSync(join(tmpdir(), "vault-settings-"));
  await vault.ask("POST sys/mounts/kv", { type: "kv", options: { version: "2" } });
  await vault.ask("PUT kv/data/app", { data: { user: "ann", n: 3, list: [1] } });
});
afterEach(() => Promise.all(started.splice(0).map((provider) => provider.close())));
afterAll(async () => {
  await vault.close();
  rmSync(folder, { recursive: true });
});

async function start(env: Readonly<Record<string, string>>, config: Readonly<Record<string, unknown>> = {}) {
  const provider = vaultProvider(env, fixedClock).start();
  started.push(provider);
  await configureForTest(provider, config);
  return provider;
}

const fixedClock = { now: () => Date.UTC(2026, 0, 2), monotonic: () => 0, sleep: async () => undefined };

async function look(provider: Provider, type: string, config: Readonly<Record<string, unknown>>) {
  const { block } = (await provider.schema()).dataSources.get(type)!;
  const { state, diagnostics } = await provider.readDataSource({ type, config: objectFor(block, config) });
  return { diagnostics, plain: state.data === null ? {} : (plainOf(block, state) as Record<string, unknown>) };
}

const app = (provider: Provider) => look(provider, "vault_kv_secret_v2", { mount: "kv", name: "app" });

describe("the token", () => {
  const env = () => ({ VAULT_ADDR: vault.address });

  test("is a child of the user's own, with its name and an end; with skip_child_token it is the user's own", async () => {
    const self = (provider: Provider) => look(provider, "vault_generic_secret", { path: "auth/token/lookup-self" });
    const own = { ...env(), VAULT_TOKEN: vault.rootToken };
    const { plain } = await self(await start(own, { token_name: "ci", max_lease_ttl_seconds: 60 }));
    expect(plain.data).toMatchObject({ display_name: "token-ci", explicit_max_ttl: "60", renewable: "false" });
    const { plain: kept } = await self(await start({ ...own, TERRAFORM_VAULT_SKIP_CHILD_TOKEN: "true" }));
    expect(kept.data).toMatchObject({ display_name: "root" });
  });

  test.each([
    { name: "the provider block", env: { VAULT_TOKEN: "wrong" }, config: () => ({ token: vault.rootToken }) },
    {
      name: "the file of a login",
      env: () => {
        writeFileSync(join(folder, ".vault-token"), `${vault.rootToken}\n`);
        return { HOME: folder };
      },
      config: () => ({}),
    },
    {
      name: "a token file",
      env: { VAULT_TOKEN: "wrong" },
      config: () => {
        writeFileSync(join(folder, "token"), vault.rootToken);
        return { auth_login_token_file: [{ filename: join(folder, "token") }] };
      },
    },
    {
      name: "a login",
      env: {},
      // Any path that answers with a token is a login.
      config: () => ({
        headers: [{ name: "X-Vault-Token", value: vault.rootToken }],
        auth_login: [{ path: "auth/token/create", parameters: {} }],
      }),
    },
  ])("comes from $name", async ({ env: more, config }) => {
    const said = typeof more === "function" ? more() : more;
    expect((await app(await start({ ...env(), ...said }, config()))).diagnostics).toEqual([]);
  });

  test("that is not allowed to have children is refused, with what to do", async () => {
    const { auth } = await vault.ask("POST auth/token/create", { policies: ["none"], no_default_policy: true });
    const { diagnostics } = await app(await start({ ...env(), VAULT_TOKEN: auth.client_token }));
    expect(diagnostics).toMatchObject([
      { summary: "Cannot make a child token", detail: expect.stringContaining("skip_child_token = true") },
    ]);
    expect(diagnostics[0]!.detail).not.toContain(auth.client_token);
  });
});

describe("the data source", () => {
  const own = () => ({ VAULT_ADDR: vault.address, VAULT_TOKEN: vault.rootToken });

  test("vault_kv_secret_v2 gives data as texts and as JSON, and a version that is asked for", async () => {
    const { plain } = await app(await start(own()));
    expect(plain).toMatchObject({
      ...{ id: "kv/data/app", path: "kv/data/app", version: 1, destroyed: false, deletion_time: "" },
      ...{ data: { user: "ann", n: "3", list: "[1]" }, data_json: '{"list":[1],"n":3,"user":"ann"}' },
    });
    const asked = await look(await start(own()), "vault_kv_secret_v2", { mount: "kv", name: "app", version: 9 });
    expect(asked.diagnostics).toMatchObject([{ summary: "No secret at kv/data/app" }]);
  });

  test("vault_generic_secret reads the same by its plain path, and says when", async () => {
    const provider = await start(own());
    const { plain } = await look(provider, "vault_generic_secret", { path: "kv/app" });
    expect(plain).toMatchObject({
      ...{ id: "kv/app", data_json: '{"list":[1],"n":3,"user":"ann"}', lease_id: "" },
      lease_start_time: "2026-01-02T00:00:00Z",
    });
    const { plain: without } = await look(provider, "vault_generic_secret", {
      path: "kv/app",
      with_lease_start_time: false,
    });
    expect(without.lease_start_time).toBeNull();
  });

  test("vault_policy_document is text that the server takes, and asks no server", async () => {
    const provider = await start({ VAULT_ADDR: "http://127.0.0.1:1" });
    const rule = [
      { path: "secret/*", capabilities: ["create", "read"], description: "allow all on secrets" },
      {
        ...{ path: 'x/"y"', capabilities: ["update"], required_parameters: ["a", "b"] },
        ...{ min_wrapping_ttl: "1s", max_wrapping_ttl: "1h" },
        allowed_parameter: [
          { key: "k", value: ["v1", "v2"] },
          { key: "*", value: [] },
        ],
        denied_parameter: [{ key: "d", value: ["z"] }],
      },
    ];
    const { plain } = await look(provider, "vault_policy_document", { rule });
    // Of terraform-provider-vault 5.0.0, but for the quotes in the path, which it leaves as they are.
    expect(plain.hcl).toBe(`# allow all on secrets
path "secret/*" {
  capabilities = ["create", "read"]
}

path "x/\\"y\\"" {
  capabilities = ["update"]
  required_parameters = ["a", "b"]
  allowed_parameters = {
    "*" = []
    "k" = ["v1", "v2"]
  }
  denied_parameters = {
    "d" = ["z"]
  }
  min_wrapping_ttl = "1s"
  max_wrapping_ttl = "1h"
}
`);
    expect((await vault.ask("PUT sys/policies/acl/made", { policy: plain.hcl })).status).toBe(204);
    const { plain: first } = await look(provider, "vault_policy_document", { rule: rule.slice(0, 1) });
    expect(first.id).toBe("1064718972");
  });
});

describe("a configuration is refused for", () => {
  const secret = { mount: "kv", name: "a" };
  test.each([
    { name: "no data", config: secret, want: /None of "data_json" and "data_json_wo" is set/ },
    {
      name: "data twice",
      config: { ...secret, data_json: "{}", data_json_wo: "{}", data_json_wo_version: 1 },
      want: /cannot be set together/,
    },
    { name: "no version", config: { ...secret, data_json_wo: "{}" }, want: /Set data_json_wo_version = 1/ },
    { name: "a text that is no JSON", config: { ...secret, data_json: "hush" }, want: /^It is no JSON object/m },
  ])("$name, without the secret", async ({ config, want }) => {
    const drive = await Drive.of(await start({}), "vault_kv_secret_v2");
    const said = (await drive.validate(config)).map(({ detail }) => detail).join("\n");
    expect(said).toMatch(want);
    expect(said).not.toContain("hush");
  });

  test("a database without its block, and a password twice", async () => {
    const drive = await Drive.of(await start({}), "vault_database_secret_backend_connection");
    const place = { backend: "db", name: "a" };
    expect(await drive.validate(place)).toMatchObject([{ summary: "No database is described" }]);
    const postgresql = [{ connection_url: "x", password: "hush", password_wo: "hush", password_wo_version: 1 }];
    expect(await drive.validate({ ...place, postgresql })).toMatchObject([
      { summary: "Conflicting configuration arguments", detail: expect.not.stringContaining("hush") },
    ]);
  });
});
