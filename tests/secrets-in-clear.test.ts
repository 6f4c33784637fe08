import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { type PostgresServer, startPostgres } from "@millwright/secrets/postgres-server";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { root, runCommand } from "./support/commands.ts";

/* docs/security.md lists where a secret may be in clear. Here everything that issues secrets is used, and then every file
   that came of it is searched for them: they are in the places on the list, and nowhere else. */

const millwright = join(root, "packages/cli/bin/millwright");
let folder: string;
let postgres: PostgresServer;
let dev: ChildProcess;
let banner = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "in-clear-"));
  mkdirSync(join(folder, "bin"));
  for (const name of ["vault", "consul", "consul-template", "millwright"])
    symlinkSync(millwright, join(folder, "bin", name));
  postgres = await startPostgres({ database: "myapp", settings: { log_statement: "all" } });
  const ports = ["-http-port=0", "-dns-port=0", "-vault-port=0", "-server-port=0"];
  dev = spawn(millwright, ["dev", ...ports, "-log-level=trace"], {
    cwd: folder,
    env: home(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [dev.stdout!, dev.stderr!]) stream.on("data", (piece) => (banner += String(piece)));
  await vi.waitFor(() => expect(banner).toContain("^C ends both."), { timeout: 15_000 });
}, 30_000);

afterAll(async () => {
  dev?.kill("SIGTERM");
  if (dev && dev.exitCode === null) await once(dev, "close");
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function home(): NodeJS.ProcessEnv {
  return { ...process.env, HOME: join(folder, "home"), XDG_STATE_HOME: join(folder, "state") };
}

const addressIn = (what: string) => new RegExp(`${what} +(\\S+)`).exec(banner)?.[1] ?? "";
const tokenFile = () => /VAULT_TOKEN=\$\(cat (\S+)\)/.exec(banner)?.[1] ?? "";

/** What a line of the shell printed; everything that is printed is searched too. */
const printed: { readonly line: string; readonly text: string }[] = [];

async function typed(line: string, input = ""): Promise<string> {
  const env = {
    ...home(),
    PATH: `${join(folder, "bin")}:${process.env.PATH ?? ""}`,
    VAULT_ADDR: addressIn("Vault HTTP API"),
    CONSUL_HTTP_ADDR: addressIn("Consul HTTP API"),
    VAULT_TOKEN: readFileSync(tokenFile(), "utf8").trim(),
  };
  const { out, err } = await runCommand("/bin/sh", ["-c", line], { cwd: join(folder, "work"), env, input });
  printed.push({ line, text: err });
  return out;
}

function filesUnder(path: string): readonly string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The places of docs/security.md, by the files that this test makes of them. */
const mayHold: readonly { readonly place: string; readonly file: RegExp }[] = [
  { place: "`unseal-key` and `root-token`", file: /^state\/millwright\/dev-[0-9a-f]+\/(unseal-key|root-token)$/ },
  { place: "`join-token`", file: /^\.millwright\/server\/join-token$/ },
  { place: "`node/node-token.json`", file: /^\.millwright\/agent\/node\/node-token\.json$/ },
  { place: "`~/.vault-token`", file: /^home\/\.vault-token$/ },
  { place: "a rendered file", file: /^work\/rendered$/ },
];

test("every place on the list is in docs/security.md", () => {
  const page = readFileSync(join(root, "docs/security.md"), "utf8");
  for (const { place } of mayHold) expect(page).toContain(place);
});

test("secrets that were issued are in those places and in no other", async () => {
  mkdirSync(join(folder, "work"));
  mkdirSync(join(folder, "home"), { recursive: true });
  writeFileSync(
    join(folder, "work", "t.ctmpl"),
    '{{ with secret "secret/data/app" }}{{ .Data.data.password }}{{ end }}',
  );
  await typed(`vault audit enable file file_path=${join(folder, "audit.log")}`);
  await typed("vault kv put secret/app password=-", "kv-s3cret-value-1");
  await typed("vault kv get secret/app");
  await typed("vault mount postgresql");
  await typed("vault write postgresql/config/connection connection_url=-", postgres.url);
  await typed(
    "vault write postgresql/roles/readonly sql=-",
    `CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}'`,
  );
  const login = JSON.parse(await typed("vault read -format=json postgresql/creds/readonly"));
  const token = JSON.parse(await typed("vault token create -policy=default -format=json")).auth.client_token as string;
  await typed("vault login -no-print -", token);
  await typed("vault write postgresql/roles/broken sql=-", "CREATE ROLE \"{{name}}\" WITH NONSENSE '{{password}}'");
  await typed("vault read postgresql/creds/broken");
  await typed("consul-template -once -log-level=trace -template=t.ctmpl:rendered");
  await typed("vault operator unseal -", "wrong-unseal-key-1");
  await typed("vault kv get -field=password secret/app");

  const secrets: Readonly<Record<string, string>> = {
    "the value of a key": "kv-s3cret-value-1",
    "the password of a leased login": login.data.password,
    "the database's own password": postgres.password,
    "a token": token,
    "the root token": readFileSync(tokenFile(), "utf8").trim(),
    "the unseal key": readFileSync(join(tokenFile(), "..", "unseal-key"), "utf8").trim(),
    "a wrong unseal key": "wrong-unseal-key-1",
    "the join token": readFileSync(join(folder, ".millwright/server/join-token"), "utf8").trim(),
    "the node's token": JSON.parse(readFileSync(join(folder, ".millwright/agent/node/node-token.json"), "utf8"))
      .NodeToken as string,
  };
  expect(readFileSync(join(folder, "work", "rendered"), "utf8")).toBe("kv-s3cret-value-1");
  expect(readFileSync(join(folder, "audit.log"), "utf8")).toContain("hmac-sha256:");
  const found: string[] = [];
  for (const path of filesUnder(folder)) {
    const name = relative(folder, path);
    if (mayHold.some(({ file }) => file.test(name))) continue;
    const bytes = readFileSync(path);
    for (const [what, secret] of Object.entries(secrets)) if (bytes.includes(secret)) found.push(`${what} in ${name}`);
  }
  for (const [what, secret] of Object.entries(secrets)) {
    if (postgres.readLog().includes(secret)) found.push(`${what} in PostgreSQL's log`);
    if (banner.includes(secret)) found.push(`${what} in what dev prints`);
    for (const { line, text } of printed) if (text.includes(secret)) found.push(`${what} in the errors of: ${line}`);
    for (const { pid, words } of commandLines()) if (words.includes(secret)) found.push(`${what} in process ${pid}`);
  }
  expect(found).toEqual([]);
}, 60_000);

// The command lines and environments of the server and the agent.
function commandLines(): readonly { readonly pid: string; readonly words: string }[] {
  return ["server", "agent"].flatMap((name) => {
    const pid = readFileSync(join(folder, ".millwright", `${name}.pid`), "utf8").split(" ")[0] ?? "";
    const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, "utf8");
    return [{ pid, words: `${read("cmdline")} ${read("environ")}` }];
  });
}
