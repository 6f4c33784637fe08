import { generateKeyPairSync, sign } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PostgresServer, startPostgres } from "@millwright/secrets/postgres-server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DevServer, startDevServer } from "./dev-server.ts";
import { launcher, runProgram } from "./program.ts";

/* Every line of the page about policies and leases, typed one after another into a shell. */

const page = readFileSync(new URL("../../../docs/policies-and-leases.md", import.meta.url), "utf8");
const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, text]) => ({ language, text: text! }));

let server: DevServer;
let postgres: PostgresServer;
let folder: string;
const keys = generateKeyPairSync("ed25519");
const issuer = createServer((_, response) => {
  response.end(JSON.stringify({ keys: [{ ...keys.publicKey.export({ format: "jwk" }), use: "sig", alg: "EdDSA" }] }));
});

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "policies-"));
  mkdirSync(join(folder, "bin"));
  symlinkSync(launcher, join(folder, "bin", "vault"));
  [server, postgres] = await Promise.all([startDevServer(), startPostgres({ database: "myapp" })]);
  await new Promise<void>((listening) => issuer.listen(0, "127.0.0.1", listening));
}, 30_000);

afterAll(async () => {
  issuer.close();
  await Promise.all([server?.stop(), postgres?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

async function well(line: string): Promise<string> {
  const PATH = `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`;
  const env = { VAULT_ADDR: server.vault, VAULT_TOKEN: server.rootToken, HOME: folder, PATH };
  const { code, out, err } = await runProgram(["-c", line], { program: "/bin/sh", cwd: folder, env });
  expect({ line, code, err: code === 0 ? "" : err }).toEqual({ line, code: 0, err: "" });
  return out;
}

function signedToken(claims: Readonly<Record<string, unknown>>): string {
  const parts = [{ alg: "EdDSA" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  return `${parts.join(".")}.${sign(null, Buffer.from(parts.join(".")), keys.privateKey).toString("base64url")}`;
}

const fieldOf = (table: string, name: string) => new RegExp(`^${name} +(\\S+)$`, "m").exec(table)?.[1] ?? "";

test("every policy of the page is taken, and every line works", async () => {
  for (const [i, { text }] of blocks.filter(({ language }) => language === "hcl").entries()) {
    writeFileSync(join(folder, i === 0 ? "web.hcl" : `page-${i}.hcl`), text);
    await well(`vault policy write page-${i} ${i === 0 ? "web.hcl" : `page-${i}.hcl`}`);
  }
  await well("vault secrets enable database");
  writeFileSync(join(folder, "url"), postgres.url);
  await well(
    "vault write database/config/my-db plugin_name=postgresql-database-plugin connection_url=@url allowed_roles=readonly",
  );
  const sql = `CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}'`;
  writeFileSync(join(folder, "role.sql"), sql);
  await well("vault write database/roles/readonly db_name=my-db creation_statements=@role.sql max_ttl=24h");
  const origin = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
  const expires = Math.floor(Date.now() / 1000) + 60;
  const claims = { iss: "https://issuer.example", aud: "vault.example", sub: "web-1", exp: expires };
  writeFileSync(join(folder, "token.jwt"), signedToken(claims));

  const said = new Map<string, string>();
  const lines = blocks.filter(({ language }) => language === "sh").flatMap(({ text }) => text.trim().split("\n"));
  expect(lines.length).toBeGreaterThan(20);
  for (const line of lines) {
    let typed = line.replace("https://issuer.example/keys", `${origin}/keys`);
    if (line.includes("LEASE_ID")) {
      typed = typed.replace("LEASE_ID", fieldOf(await well("vault read database/creds/readonly"), "lease_id"));
    }
    if (/TOKEN$|ACCESSOR$/.test(line)) {
      const made = await well("vault token create -policy=web");
      typed = typed.replace(/TOKEN$/, fieldOf(made, "token")).replace(/ACCESSOR$/, fieldOf(made, "token_accessor"));
    }
    // A root token is not renewed, and a list of leases needs one.
    if (line === "vault token renew") typed = `VAULT_TOKEN=$(vault token create -policy=web -field=token) ${line}`;
    if (line.startsWith("vault list sys/leases")) await well("vault read database/creds/readonly");
    said.set(line, await well(typed));
  }
  expect(said.get("vault token capabilities secret/data/web/db")).toContain("root");
  expect(said.get("vault write auth/jwt/login role=web jwt=@token.jwt")).toMatch(/^token_policies .*"default".*"web"/m);
  expect(said.get("vault policy list")).toContain("web");
}, 60_000);
