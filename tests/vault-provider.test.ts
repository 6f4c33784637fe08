import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { formatAddress } from "@millwright/daemon/listener";
import { type PostgresServer, startPostgres } from "@millwright/secrets/postgres-server";
import { type RunningServer, startServer } from "@millwright/server/server";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Outcome, root, runCommand } from "./support/commands.ts";

/* The example of the guide, applied by the program against our own server and a real PostgreSQL. */

const millwright = join(root, "packages/cli/bin/millwright");
const example = readFileSync(join(root, "examples/database/main.tf"), "utf8");

let folder: string;
let server: RunningServer;
let postgres: PostgresServer;
let token: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "vault-provider-"));
  [postgres, server] = await Promise.all([
    startPostgres({ database: "myapp" }),
    startServer({
      http: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
      vault: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
      devSeal: { folder: join(folder, "seal") },
    }),
  ]);
  token = readFileSync(server.rootTokenFile!, "utf8").trim();
}, 30_000);
afterEach(async () => {
  await server.close();
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
});

const address = () => `http://${formatAddress(server.vault[0]!)}`;

function run(args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const env = { ...process.env, HOME: folder, VAULT_ADDR: address(), VAULT_TOKEN: token, ...more };
  return runCommand(millwright, args, { cwd: join(folder, "work"), env });
}

/** Runs a line that must go well; the database's password is given to each, as the guide says. */
async function well(...args: readonly string[]): Promise<string> {
  const { host, port, user, password } = postgres;
  const { code, out, err } = await run(args, {
    TF_VAR_database_address: `${host}:${port}/myapp?sslmode=disable`,
    TF_VAR_database_user: user,
    TF_VAR_database_password: password,
  });
  expect({ args, code, err }).toEqual({ args, code: 0, err: "" });
  return out;
}

async function ask(path: string, method = "GET", body?: unknown) {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await fetch(`${address()}/v1/${path}`, { method, headers: { "x-vault-token": token }, ...sent });
  const text = await answer.text();
  return {
    status: answer.status,
    data: {},
    ...(text === "" ? {} : (JSON.parse(text) as { data: { [n: string]: string } })),
  };
}

function configured(text: string): void {
  mkdirSync(join(folder, "work"), { recursive: true });
  writeFileSync(join(folder, "work", "main.tf"), text);
}

/** Every text in the working folder's files, those that a plan file holds in Base64 too, by the file's name. */
function keptTexts(): Readonly<Record<string, string>> {
  const names = readdirSync(join(folder, "work"), { recursive: true, withFileTypes: true }).filter((e) => e.isFile());
  return Object.fromEntries(
    names.map(({ name, parentPath }) => [name, clearText(readFileSync(join(parentPath, name)))]),
  );
}

function clearText(bytes: Buffer): string {
  if (bytes[0] !== 0x1f) return bytes.toString();
  const said = (json: unknown): string => {
    if (typeof json === "string") return `${json} ${Buffer.from(json, "base64").toString("latin1")}\n`;
    return typeof json === "object" && json !== null ? Object.values(json).map(said).join("") : "";
  };
  return said(JSON.parse(gunzipSync(bytes).toString()));
}

test("the example lends logins, and the database's password is in no file", async () => {
  configured(example);
  await postgres.adminSql("CREATE TABLE widgets (name text); INSERT INTO widgets VALUES ('cog')");
  const shown = await well("plan", "-out=p");
  const json = await well("show", "-json", "p");
  const applied = await well("apply", "p");
  expect(applied).toContain("Resources: 4 added, 0 changed, 0 destroyed.");
  expect(await well("plan", "-detailed-exitcode")).toContain("No changes.");

  const login = await ask("postgresql/creds/readonly");
  const client = new pg.Client({ ...postgres, user: login.data.username, password: login.data.password });
  await client.connect();
  expect((await client.query("SELECT name FROM widgets")).rows).toEqual([{ name: "cog" }]);
  await client.end();

  const texts: Readonly<Record<string, string>> = {
    ...keptTexts(),
    shown,
    json,
    applied,
    "show -json": await well("show", "-json"),
  };
  expect(Object.keys(texts)).toEqual(expect.arrayContaining(["p", "terraform.tfstate", "main.tf"]));
  for (const [name, text] of Object.entries(texts)) expect(text, name).not.toContain(postgres.password);
  expect(texts["terraform.tfstate"]).toContain('"password_wo_version": 1');
});

test("what was changed by hand is put right, another version sends the password again, and destroy leaves nothing", async () => {
  configured(example);
  await well("apply", "-auto-approve");
  await ask("sys/policies/acl/myapp-readonly", "PUT", { policy: "# emptied by hand" });
  await ask("postgresql/roles/readonly", "DELETE");
  const drift = await well("apply", "-auto-approve");
  expect(drift).toContain("Resources: 1 added, 1 changed, 0 destroyed.");
  expect((await ask("sys/policies/acl/myapp-readonly")).data.policy).toContain("postgresql/creds/readonly");

  const before = await ask("postgresql/config/myapp");
  await postgres.adminSql(`ALTER ROLE "${postgres.user}" PASSWORD 'turned'`);
  configured(example.replace("password_wo_version = 1", "password_wo_version = 2"));
  const { code, out } = await run(["apply", "-auto-approve"], {
    TF_VAR_database_address: `${postgres.host}:${postgres.port}/myapp?sslmode=disable`,
    TF_VAR_database_user: postgres.user,
    TF_VAR_database_password: "turned",
  });
  expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining("0 added, 1 changed, 0 destroyed") });
  expect((await ask("postgresql/creds/readonly")).status).toBe(200);
  expect((await ask("postgresql/config/myapp")).data).toEqual(before.data);

  // A login outlives its role: taking it back needs the connection.
  await ask("sys/leases/revoke-prefix/postgresql", "PUT");
  await well("destroy", "-auto-approve");
  expect((await ask("postgresql/roles/readonly")).status).toBe(404);
  expect((await ask("sys/policies/acl/myapp-readonly")).status).toBe(404);
});

test("a password that rotate-root has replaced is not sent again with another change", async () => {
  await postgres.adminSql("CREATE ROLE manager WITH LOGIN SUPERUSER PASSWORD 'first'");
  const kept = example.replace(/password_wo( +)= var.database_password/, 'password = "first"');
  configured(kept.replace(/ +password_wo_version = 1\n/, "").replace("= var.database_user", '= "manager"'));
  await well("apply", "-auto-approve");
  expect((await ask("postgresql/rotate-root/myapp", "POST")).status).toBeLessThan(300);
  configured(readFileSync(join(folder, "work", "main.tf"), "utf8").replace('["readonly"]', '["readonly", "more"]'));
  expect(await well("apply", "-auto-approve")).toContain("0 added, 1 changed, 0 destroyed");
  expect((await ask("postgresql/creds/readonly")).status).toBe(200);
});

describe("a mistake is told with what and where, before anything is half-made:", () => {
  const secret = `resource "vault_generic_secret" "a" {\n  path      = "nowhere/a"\n  data_json = jsonencode({ k = "s3cret" })\n}\n`;
  const policy = `resource "vault_policy" "a" {\n  name   = "a"\n  policy = "# nothing"\n}\n`;
  const rights = { policy: 'path "auth/token/create" { capabilities = ["update"] }' };

  test.each([
    {
      name: "a wrong token",
      text: policy,
      prepare: async () => ({ VAULT_TOKEN: "hvs.wrong" }),
      want: ["Cannot make a child token", "auth/token/create answered 403", "skip_child_token = true"],
    },
    {
      name: "no token",
      text: policy,
      prepare: async () => ({ VAULT_TOKEN: "" }),
      want: ["No Vault token", "VAULT_TOKEN"],
    },
    {
      name: "a sealed server",
      text: policy,
      prepare: async () => void (await ask("sys/seal", "PUT")),
      want: ["is sealed", "operator unseal"],
    },
    {
      name: "a path that the token may not write",
      text: policy,
      prepare: async () => {
        await ask("sys/policies/acl/few", "PUT", rights);
        const made = await ask("auth/token/create", "POST", { policies: ["few"] });
        return { VAULT_TOKEN: (made as unknown as { auth: { client_token: string } }).auth.client_token };
      },
      want: ["Vault refused the token", "sys/policies/acl/a answered 403", "vault_policy.a"],
    },
    {
      name: "a path where nothing is mounted",
      text: secret,
      prepare: async () => undefined,
      want: [
        "Nothing is mounted at this path",
        "nowhere/a answered 404",
        "vault secrets list",
        "vault_generic_secret.a",
      ],
    },
    {
      name: "a server that is not there",
      text: policy,
      prepare: async () => ({ VAULT_ADDR: "http://127.0.0.1:1" }),
      want: ["Cannot reach Vault at http://127.0.0.1:1", "comes from VAULT_ADDR"],
    },
    {
      name: "a text that is no JSON",
      text: secret.replace('jsonencode({ k = "s3cret" })', '"{ s3cret"'),
      prepare: async () => undefined,
      want: ["It is no JSON object", "vault_generic_secret.a"],
    },
  ])("$name", async ({ text, prepare, want }) => {
    configured(text);
    const env: NodeJS.ProcessEnv = (await prepare()) ?? {};
    const { code, err } = await run(["apply", "-auto-approve"], env);
    expect(code).toBe(1);
    const said = err.replace(/\s*\n│\s*/g, " ");
    for (const words of want) expect(said).toContain(words);
    expect(err).not.toMatch(/hvs\.wrong/);
  });
});
