import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PostgresServer, startPostgres } from "@millwright/secrets/postgres-server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DevServer, startDevServer } from "./dev-server.ts";
import { launcher, runProgram } from "./program.ts";

/* Vault's command line against a running server and a real PostgreSQL: the talk's lines as they were typed, and mistakes. */

let server: DevServer;
let postgres: PostgresServer;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "vault-"));
  mkdirSync(join(folder, "bin"));
  symlinkSync(launcher, join(folder, "bin", "vault"));
  [server, postgres] = await Promise.all([startDevServer(), startPostgres({ database: "myapp" })]);
  await postgres.adminSql("CREATE TABLE widgets (name text); INSERT INTO widgets VALUES ('cog')");
  writeFileSync(join(folder, "url"), postgres.url);
  const role = new URL("../../../examples/secrets/readonly-role.sql", import.meta.url);
  writeFileSync(join(folder, "readonly-role.sql"), readFileSync(role));
}, 30_000);

afterAll(async () => {
  await Promise.all([server?.stop(), postgres?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a line of the shell, as a user types it. */
function typed(line: string, more: Readonly<Record<string, string>> = {}) {
  const env = { VAULT_ADDR: server.vault, VAULT_TOKEN: server.rootToken, HOME: folder };
  const path = `${join(folder, "bin")}:${process.env.PATH ?? ""}`;
  return runProgram(["-c", line], { program: "/bin/sh", cwd: folder, env: { ...env, PATH: path, ...more } });
}

async function well(line: string): Promise<string> {
  const { code, out, err } = await typed(line);
  expect({ line, code, err }).toEqual({ line, code: 0, err: "" });
  return out;
}

const fieldOf = (table: string, name: string) => new RegExp(`^${name} +(\\S+)$`, "m").exec(table)?.[1] ?? "";

async function psql(user: string, password: string, sql: string): Promise<string> {
  const args = ["-h", postgres.host, "-p", String(postgres.port), "-U", user, "-Atc", sql, "myapp"];
  const { out, err } = await runProgram(args, { program: "psql", env: { PGPASSWORD: password } });
  return out + err;
}

describe("the talk's lines", () => {
  test("a role is written, a login read, renewed and revoked", async () => {
    await well("vault mount postgresql");
    await well("vault write postgresql/config/connection connection_url=@url");
    await well("vault write postgresql/config/lease lease=1h lease_max=24h");
    const written = await well("cat readonly-role.sql | tee sent.sql | vault write postgresql/roles/readonly sql=-");
    expect(written).toBe("Success! Data written to: postgresql/roles/readonly\n");

    const table = await well("vault read postgresql/creds/readonly");
    expect(table).toMatch(/^Key +Value\n--- +-----\nlease_id +postgresql\/creds\/readonly\/[0-9a-f-]{36}\n/);
    expect(table).toMatch(/^lease_duration +1h0m0s$/m);
    expect(table).toMatch(/^lease_renewable +true$/m);
    const [lease, user, password] = [
      fieldOf(table, "lease_id"),
      fieldOf(table, "username"),
      fieldOf(table, "password"),
    ];
    expect(await psql(user, password, "SELECT name FROM widgets")).toBe("cog\n");
    expect(await psql(user, password, "INSERT INTO widgets VALUES ('x')")).toContain("permission denied for table");
    expect(await psql("postgres", postgres.password, "\\du")).toMatch(new RegExp(`${user}\\|Password valid until 20`));

    const renewed = await well(`vault renew ${lease}`);
    expect(fieldOf(renewed, "lease_id")).toBe(lease);
    expect(fieldOf(renewed, "lease_duration")).toBe("1h0m0s");
    await well(`vault revoke ${lease}`);
    expect(await psql(user, password, "SELECT 1")).toContain("password authentication failed");
    expect(await psql("postgres", postgres.password, "\\du")).not.toContain(user);
    const again = await typed(`vault renew ${lease}`);
    expect(again).toMatchObject({ code: 2 });
    expect(again.err).toContain("lease not found");
  });

  test("the SQL may stand on the line", async () => {
    const sql = `CREATE ROLE \\"{{name}}\\" WITH LOGIN PASSWORD '{{password}}';`;
    const out = await well(`vault write postgresql/roles/other sql="${sql}"`);
    expect(out).toBe("Success! Data written to: postgresql/roles/other\n");
  });

  test("all leases under a path are revoked together", async () => {
    const tables = [
      await well("vault read postgresql/creds/readonly"),
      await well("vault read postgresql/creds/readonly"),
    ];
    expect(await well("vault revoke -prefix postgresql/creds/")).toContain("Success!");
    for (const table of tables)
      expect(await psql(fieldOf(table, "username"), fieldOf(table, "password"), "SELECT 1")).toContain("failed");
  });
});

describe("what is printed", () => {
  test("JSON has the fields of Vault's own", async () => {
    await well("vault kv put secret/app user=ann n=3");
    const secret = JSON.parse(await well("vault read -format=json secret/data/app"));
    expect(Object.keys(secret)).toEqual(["request_id", "lease_id", "lease_duration", "renewable", "data", "warnings"]);
    expect(secret.data.data).toEqual({ user: "ann", n: "3" });
  });

  test("one field is printed alone, without a line end", async () => {
    expect(await well("vault kv get -field=user secret/app")).toBe("ann");
    expect(await well("vault read -field=data secret/data/app")).toBe("map[n:3 user:ann]");
  });

  test("lists, and JSON of lists", async () => {
    expect(await well("vault kv list secret/")).toBe("Keys\n----\napp\n");
    expect(JSON.parse(await well("vault list -format=json secret/metadata"))).toEqual(["app"]);
  });

  test("large whole numbers keep their digits", async () => {
    await well(`echo '{"data":{"n":12345678901234567890}}' | vault write secret/data/number -`);
    expect(await well("vault kv get -format=json secret/number")).toContain('"n": 12345678901234567890');
  });

  test("every command explains itself with an example", async () => {
    for (const words of ["read", "kv put", "operator init", "lease revoke", "token create"])
      expect(await well(`vault ${words} -help`)).toMatch(/^Usage: vault .+\n\n {2}.+\n\n {6}\$ vault /s);
  });
});

describe("as scripts know it", () => {
  const refusals = [
    { line: "vault kv", code: 1, err: /^Usage: vault kv COMMAND.*Example: vault kv put secret\/app/s },
    { line: "vault", code: 127, err: /^Usage: vault COMMAND/ },
    {
      line: "vault kv gett secret/app",
      code: 127,
      err: /^There is no command "vault kv gett"\. Did you mean "vault kv get"/,
    },
    { line: "vault kv get -bogus secret/app", code: 1, err: /^flag provided but not defined: -bogus\n/ },
    { line: "vault read secret/data/none", code: 2, err: /^No value found at secret\/data\/none\n$/ },
    { line: "vault status -address=http://127.0.0.1:1", code: 1, err: /connection refused/ },
    { line: "vault operator init -status -address=http://127.0.0.1:1", code: 1, err: /connection refused/ },
    { line: "vault operator unseal < /dev/null", code: 1, err: /There is no unseal key\. Give it at the prompt/ },
    { line: "vault login < /dev/null", code: 1, err: /There is no token\. Give it at the prompt/ },
  ];
  test.each(refusals)("$line", async ({ line, code, err }) => {
    const ended = await typed(line);
    expect({ code: ended.code, out: ended.out }).toEqual({ code, out: "" });
    expect(ended.err).toMatch(err);
  });

  test("a refusal has URL, code and errors on lines of their own", async () => {
    const { code, out, err } = await typed("vault read secret/data/app", { VAULT_TOKEN: "hvs.unknown" });
    expect({ code, out }).toEqual({ code: 2, out: "" });
    const url = `${server.vault}/v1/secret/data/app`;
    expect(err).toMatch(`Error making API request.\n\nURL: GET ${url}\nCode: 403. Errors:\n\n* `);
    expect(err).toMatch(/^\s*\* permission denied$/m);
  });

  test("a list of nothing is an empty object for programs", async () => {
    expect(await typed("vault list -format=json secret/metadata/none")).toMatchObject({ code: 2, out: "{}\n" });
  });

  test("the help of a group lists its commands on standard output", async () => {
    expect(await well("vault kv metadata -help")).toMatch(/^Usage: vault kv metadata COMMAND.*^ {4}get /ms);
    expect(await well("vault operator -h")).toMatch(/^Usage: vault operator COMMAND/);
  });

  test("an answer is wrapped in a token that gives it once", async () => {
    await well("vault kv put secret/wrapped a=b");
    const token = await well("vault kv get -wrap-ttl=5m -field=wrapping_token secret/wrapped");
    expect(token).toMatch(/^hvs\./);
    expect(JSON.parse(await well(`vault unwrap -format=json ${token}`)).data.data).toEqual({ a: "b" });
    expect((await typed(`vault unwrap ${token}`)).err).toContain("wrapping token is not valid");
    const { out } = await typed("vault token create -policy=default", { VAULT_WRAP_TTL: "60s" });
    expect(out).toMatch(/^wrapping_token: +hvs\.\S+$/m);
  });

  test("warnings are on standard error, times have units, and what is empty is n/a", async () => {
    const { out, err } = await typed("vault token create -policy=nowhere");
    expect(err).toContain('WARNING! The following warnings were returned from Vault:\n\n  * Policy "nowhere"');
    expect(out).not.toContain('nowhere" does not');
    const self = await well("vault token lookup");
    expect(self).toMatch(/^creation_ttl +0s$/m);
    expect(self).toMatch(/^entity_id +n\/a$/m);
  });

  test("a secret's metadata is shown version by version", async () => {
    await well("vault kv put secret/shown a=1");
    await well("vault kv metadata put -max-versions=5 -custom-metadata=owner=web secret/shown");
    const text = await well("vault kv metadata get secret/shown");
    expect(text).toMatch(/^=== Metadata Path ===\nsecret\/metadata\/shown\n\n=+ Metadata =+\nKey +Value\n/);
    expect(text).toMatch(/^custom_metadata +map\[owner:web\]$/m);
    expect(text).toMatch(/^max_versions +5$/m);
    expect(text).toMatch(/\n=+ Version 1 =+\nKey +Value\n.*^destroyed +false\n$/ms);
  });
});

test("an engine is tuned and moved", async () => {
  await well("vault secrets enable -path=old -version=1 kv");
  await well("vault kv put old/a b=c");
  expect(await well("vault secrets tune -default-lease-ttl=30m old/")).toBe(
    "Success! Tuned the secrets engine at: old/\n",
  );
  expect(await well("vault secrets move old new")).toBe("Success! Moved secrets engine old/ to: new/\n");
  expect(await well("vault kv get -field=b new/a")).toBe("c");
  expect(await well("vault read -field=default_lease_ttl sys/mounts/new/tune")).toBe("1800");
  expect((await typed("vault secrets tune new")).err).toContain("Say what to change");
  expect(await well("vault secrets disable new")).toContain("Success!");
});

describe("versions of a secret", () => {
  test("are written, compared, deleted and brought back", async () => {
    await well("vault kv put secret/v a=1");
    await well("vault kv put -cas=1 secret/v a=2");
    expect((await typed("vault kv put -cas=1 secret/v a=3")).err).toContain("check-and-set");
    expect(await well("vault kv get -version=1 -field=a secret/v")).toBe("1");
    await well("vault kv delete secret/v");
    expect((await typed("vault kv get -field=a secret/v")).code).toBe(1);
    await well("vault kv undelete -versions=2 secret/v");
    await well("vault kv patch secret/v b=4");
    expect(JSON.parse(await well("vault kv get -format=json secret/v")).data.data).toEqual({ a: "2", b: "4" });
    await well("vault kv metadata delete secret/v");
    expect((await typed("vault kv get secret/v")).code).toBe(2);
  });
});

describe("a login", () => {
  test("is kept in a file for this user alone, and used by what follows", async () => {
    expect((await typed("vault token create -policy=one")).out).toMatch(/^token_policies +\["default" "one"\]$/m);
    const made = JSON.parse(await well("vault token create -policy=default -ttl=1h -format=json"));
    const token = made.auth.client_token as string;
    const { code } = await typed(`echo ${token} | vault login -no-print -`, { VAULT_TOKEN: "" });
    expect(code).toBe(0);
    const file = join(folder, ".vault-token");
    expect(readFileSync(file, "utf8")).toBe(token);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const looked = await typed("vault token lookup -format=json", { VAULT_TOKEN: "" });
    expect(JSON.parse(looked.out).data.policies).toEqual(["default"]);
    const denied = await typed("vault kv get secret/app", { VAULT_TOKEN: "" });
    expect(denied.code).toBe(2);
    expect(denied.err).toContain("what its policies allow");
    rmSync(file);
  });

  test("that is wrong is refused, and nothing is kept", async () => {
    const { code, err } = await typed("vault login hvs.nonsense", { VAULT_TOKEN: "" });
    expect(code).toBe(2);
    expect(err).toMatch(/permission denied|bad token/);
    expect(err).not.toContain("nonsense");
  });
});

describe("a mistake says what and what to do", () => {
  const cases = [
    { name: "a value without a key", line: "vault write secret/x nothing", code: 1, want: "Write KEY=VALUE" },
    { name: "no data", line: "vault write secret/x", code: 1, want: "Must supply data or use -force" },
    { name: "a file that is not there", line: "vault write secret/x a=@none", code: 1, want: "Cannot read none" },
    { name: "a path too many", line: "vault list a b", code: 1, want: "Too many arguments (expected 1, got 2)" },
    { name: "an unknown flag", line: "vault read -fromat=json a", code: 1, want: "Did you mean -format?" },
    { name: "an unknown format", line: "vault read -format=xml a", code: 1, want: "table, json, yaml, raw" },
    { name: "an unknown command", line: "vault raed a", code: 127, want: 'Did you mean "vault read"?' },
    {
      name: "an unknown command of a group",
      line: "vault policy raed",
      code: 127,
      want: 'Did you mean "vault policy read"?',
    },
    {
      name: "a path where nothing is",
      line: "vault read secret/data/none",
      code: 2,
      want: "No value found at secret/data/none",
    },
    { name: "an unmounted path", line: "vault read nowhere/x", code: 2, want: "no handler for route" },
    {
      name: "an unmounted kv path",
      line: "vault kv get nowhere/x",
      code: 2,
      want: 'grant access to path "nowhere/x/"',
    },
    {
      name: "a malformed policy",
      line: "echo 'path {' | vault policy write p -",
      code: 2,
      want: "failed to parse policy",
    },
    { name: "a time that is none", line: "vault renew a/b soon", code: 1, want: "is no time" },
    { name: "-force alone", line: "vault revoke -force a/b", code: 1, want: "-force needs -prefix" },
    { name: "an engine that is not there", line: "vault secrets enable aws", code: 2, want: "aws" },
    {
      name: "a wrong address",
      line: "vault status -address=http://127.0.0.1:1",
      code: 1,
      want: "Cannot reach http://127.0.0.1:1",
    },
    { name: "a role that is not there", line: "vault read postgresql/creds/nobody", code: 2, want: "nobody" },
  ];
  test.each(cases)("$name", async ({ line, code, want }) => {
    const ended = await typed(line);
    expect(ended.err).toContain(want);
    expect(ended.code).toBe(code);
    expect(ended.out).toBe("");
  });

  test("an expired token, and a path that is forbidden", async () => {
    const made = JSON.parse(await well("vault token create -policy=default -ttl=1s -format=json"));
    const short = { VAULT_TOKEN: made.auth.client_token as string };
    const forbidden = await typed("vault write secret/data/forbidden data=1", short);
    expect(forbidden.err).toContain("permission denied");
    await expect.poll(async () => (await typed("vault token lookup", short)).code, { timeout: 5000 }).toBe(2);
    expect((await typed("vault read secret/data/forbidden")).code).toBe(2);
  });
});

test("what servers seal and unseal", async () => {
  const fresh = await startDevServer();
  try {
    const env = { VAULT_ADDR: fresh.vault, VAULT_TOKEN: fresh.rootToken };
    expect((await typed("vault status", env)).code).toBe(0);
    expect((await typed("vault operator seal", env)).out).toContain("Vault is sealed");
    const sealed = await typed("vault status", env);
    expect(sealed.code).toBe(2);
    expect(sealed.out).toMatch(/^Sealed +true$/m);
    const refused = await typed("vault kv get secret/x", env);
    expect(refused.err).toContain("vault operator unseal");
    const wrong = await typed(
      "echo 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff | vault operator unseal -",
      env,
    );
    expect(wrong.code).toBe(2);
    expect(wrong.err).toMatch(/key/);
    expect((await typed("vault status", env)).code).toBe(2);
    const twice = await typed("vault operator init", env);
    expect(twice.err).toContain("already initialized");
  } finally {
    await fresh.stop();
  }
}, 20_000);
