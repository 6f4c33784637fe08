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
  for (const name of ["vault", "consul", "consul-template", "nomad", "millwright"])
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
    NOMAD_ADDR: addressIn("Nomad HTTP API"),
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
  { place: "`jobs-signing-key.pem`", file: /^\.millwright\/server\/jobs-signing-key\.pem$/ },
  { place: "`secrets/` of a task", file: /^\.millwright\/agent\/alloc\/[^/]+\/app\/secrets\/[^/]+$/ },
  { place: "`private/` of an allocation", file: /^\.millwright\/agent\/alloc\/[^/]+\/private\/app\.json$/ },
];

/** Each place where one of the secrets is in clear and may not be. */
function whereFound(secrets: Readonly<Record<string, string>>): readonly string[] {
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
    for (const { line, text } of printed)
      if (text.includes(secret)) found.push(`${what} in what was printed by: ${line}`);
    for (const { pid, words } of commandLines()) if (words.includes(secret)) found.push(`${what} in process ${pid}`);
  }
  return found;
}

const roleOfApp = {
  role_type: "jwt",
  bound_audiences: ["vault.io"],
  bound_claims: { nomad_job_id: "app" },
  user_claim: "nomad_job_id",
  token_policies: ["app"],
  token_period: 1800,
};

/** A job of the factory's kind: its login is rendered before it starts, and it is trusted with all that a task may be. */
const app = `
job "app" {
  group "app" {
    task "app" {
      driver = "raw_exec"
      config {
        command = "/bin/sleep"
        args    = ["600"]
      }
      vault {
        role = "app"
      }
      identity {
        env  = true
        file = true
      }
      template {
        data        = <<-EOT
          {{ with secret "postgresql/creds/readonly" }}
          {"user": "{{ .Data.username }}", "password": "{{ .Data.password }}"}
          {{ end }}
        EOT
        destination = "secrets/database.json"
      }
    }
  }
}
`;

/** Everything that tells of an allocation is asked for, and searched like what is printed. */
async function askAbout(allocation: string): Promise<void> {
  for (const line of [`alloc status -verbose ${allocation}`, `alloc status -json ${allocation}`, "job inspect app"]) {
    printed.push({ line, text: await typed(`nomad ${line}`) });
  }
  const nomad = addressIn("Nomad HTTP API");
  const text = async (path: string) => (await fetch(`${nomad}${path}`)).text();
  const [{ ID: node }] = JSON.parse(await text("/v1/nodes"));
  const files = `/v1/client/fs/cat/${allocation}?path=`;
  for (const path of [
    ...["/v1/allocations", "/v1/nodes", `/v1/node/${node}`, "/v1/jobs", "/v1/job/app", "/v1/job/app/versions"],
    ...[
      "/v1/evaluations",
      "/v1/deployments",
      "/v1/agent/self",
      "/.well-known/jwks.json",
      `/v1/allocation/${allocation}`,
    ],
    ...["app/secrets/vault_token", "/app//secrets/vault_token", "alloc/../app/secrets/vault_token"].map(
      (file) => files + encodeURIComponent(file),
    ),
    ...["private/app.json", "state.json", "app/local/../../private/app.json"].map(
      (file) => files + encodeURIComponent(file),
    ),
  ])
    printed.push({ line: path, text: await text(path) });
  // By it servers are answered, and nobody else.
  expect(JSON.parse(await text(`/v1/node/${node}`))).not.toHaveProperty("Key");
}

/** A line from the middle of a key's file: of its private half. */
const privateLine = (file: string) => readFileSync(file, "utf8").split("\n")[20] ?? "";

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
  expect(whereFound(secrets)).toEqual([]);
}, 60_000);

test("what a task is trusted with is in those places while it runs, and nowhere when it has ended", async () => {
  const nomad = addressIn("Nomad HTTP API");
  await typed("vault policy write app -", 'path "postgresql/creds/readonly" { capabilities = ["read"] }');
  await typed("vault auth enable -path=jwt-nomad jwt");
  await typed(`vault write auth/jwt-nomad/config jwks_url=${nomad}/.well-known/jwks.json`);
  await typed("vault write auth/jwt-nomad/role/app -", JSON.stringify(roleOfApp));
  writeFileSync(join(folder, "work", "app.nomad.hcl"), app);
  await typed("nomad job run app.nomad.hcl");
  const [{ ID: allocation }] = JSON.parse(await typed("nomad job allocs -json app"));
  const filed = (name: string) =>
    readFileSync(join(folder, ".millwright/agent/alloc", allocation, "app/secrets", name));
  const secrets = {
    "the task's token": String(filed("vault_token")).trim(),
    "the task's identity": String(filed("nomad_token")).trim(),
    "the password of the task's login": JSON.parse(String(filed("database.json"))).password as string,
    "the job's signing key": privateLine(join(folder, ".millwright/server/jobs-signing-key.pem")),
  };
  for (const secret of Object.values(secrets)) expect(secret.length).toBeGreaterThan(15);
  await askAbout(allocation);
  expect(whereFound(secrets)).toEqual([]);

  await typed("nomad job stop app");
  await vi.waitFor(async () => expect(await typed(`nomad alloc status ${allocation}`)).toMatch(/Status += complete/), {
    timeout: 15_000,
  });
  const headers = { "x-vault-token": secrets["the task's token"] };
  expect(await fetch(`${addressIn("Vault HTTP API")}/v1/auth/token/lookup-self`, { headers })).toMatchObject({
    status: 403,
  });
  await askAbout(allocation);
  const names = filesUnder(join(folder, ".millwright/agent/alloc")).map((path) => relative(folder, path));
  expect(names.filter((name) => mayHold.some(({ file }) => file.test(name)))).toEqual([]);
  expect(whereFound(secrets)).toEqual([]);
}, 60_000);

// The command lines and environments of the server and the agent.
function commandLines(): readonly { readonly pid: string; readonly words: string }[] {
  return ["server", "agent"].flatMap((name) => {
    const pid = readFileSync(join(folder, ".millwright", `${name}.pid`), "utf8").split(" ")[0] ?? "";
    const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, "utf8");
    return [{ pid, words: `${read("cmdline")} ${read("environ")}` }];
  });
}
