// Requests a second and latencies of the secrets server over HTTP on the loopback, its store durable on this disk; OpenBao or
// Vault, over its own durable store, beside it where one is installed.
// Each figure is the median of several rounds; `node bench/secrets.ts [ROUNDS] [SECONDS]`, 3 and 2 by default.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { PostgresServer } from "@millwright/secrets/postgres-server";
import { startPostgres } from "@millwright/secrets/postgres-server";
import { median, printTable } from "./support/measure.ts";
import { inFolder, onPath } from "./support/programs.ts";
import { type CallTimes, measureCalls } from "./support/measure-calls.ts";
import { VaultLoad } from "./support/vault-load.ts";

const rounds = Number(process.argv[2] ?? 3);
const seconds = Number(process.argv[3] ?? 2);
const keys = 1_000;
const secret = { data: { password: "p".repeat(64), note: "n".repeat(200) } };

const rows: string[][] = [];
const postgres = await startPostgres({ database: "myapp", settings: { fsync: "on", max_connections: "100" } });
await postgres.adminSql("CREATE TABLE widgets (name text)");

const own = spawn(process.execPath, [fileURLToPath(new URL("support/secrets-server.ts", import.meta.url))], {
  stdio: ["ignore", "pipe", "inherit"],
});
const port = Number(await said(own, /port (\d+)/));
await measureServer("millwright", port, postgres);
own.kill("SIGTERM");
const [delay, held, longest] = (await said(own, /delay (.+)/)).split(" ");
const peer = process.env.BAO_BIN ?? ["bao", "vault"].find((name) => onPath(name) !== undefined);
if (peer !== undefined) await measurePeer(peer, postgres);
await postgres.stop();

printTable(
  `${keys} secrets of 300 bytes, PostgreSQL with fsync on this machine; medians of ${rounds} rounds of ${seconds} s`,
  ["server", "request", "callers", "requests/s", "p50 ms", "p99 ms"],
  rows,
);
console.log(
  `millwright: event loop delay over all of it ${delay} ms (p99.9), held by its own work ${held} ms, ${longest} ms at most`,
);
if (peer === undefined) console.log("no peer: neither bao nor vault is on the PATH, nor is one named by BAO_BIN");

async function measureServer(name: string, at: number, database: PostgresServer): Promise<void> {
  const vault = new VaultLoad(at);
  await vault.init();
  await vault.call("POST", "sys/mounts/bench", { type: "kv", options: { version: "2" } });
  await vault.call("POST", "sys/mounts/database", { type: "database" });
  await vault.call("PUT", "database/config/myapp", {
    plugin_name: "postgresql-database-plugin",
    connection_url: `postgresql://{{username}}:{{password}}@${database.host}:${database.port}/myapp?sslmode=disable`,
    ...{ username: database.user, password: database.password, allowed_roles: "*" },
    password_authentication: "scram-sha-256",
  });
  await vault.call("PUT", "database/roles/readonly", {
    db_name: "myapp",
    creation_statements:
      `CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'; ` +
      `GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{{name}}";`,
    default_ttl: "1h",
  });
  // As people have it, not as root: the policy is evaluated for each request.
  await vault.call("PUT", "sys/policies/acl/bench", {
    policy: ["bench/*", "database/creds/*", "sys/leases/revoke"]
      .map((path) => `path "${path}" { capabilities = ["create", "read", "update"] }`)
      .join("\n"),
  });
  const login = await vault.call("POST", "auth/token/create", { policies: ["bench"], ttl: "1h" });
  const auth = login["auth"];
  if (typeof auth === "object" && auth !== null && "client_token" in auth) vault.use(String(auth.client_token));
  for (let i = 0; i < keys; i++) await vault.call("PUT", `bench/data/k${i}`, secret);

  const requests: readonly (readonly [string, (number: number) => Promise<unknown>])[] = [
    ["kv v2 write", (i) => vault.call("PUT", `bench/data/k${i % keys}`, secret)],
    ["kv v2 read", (i) => vault.call("GET", `bench/data/k${i % keys}`)],
    ["token lookup-self", () => vault.call("GET", "auth/token/lookup-self")],
    ["creds, then revoke", () => credentials(vault)],
  ];
  for (const [request, call] of requests)
    for (const callers of [1, 50]) rows.push(await row(name, request, callers, call));
  vault.close();
}

async function credentials(vault: VaultLoad): Promise<void> {
  const lease = await vault.call("GET", "database/creds/readonly");
  await vault.call("PUT", "sys/leases/revoke", { lease_id: lease["lease_id"], sync: true });
}

async function row(name: string, request: string, callers: number, call: (number: number) => Promise<unknown>) {
  await measureCalls(callers, 0.5, call);
  const results: CallTimes[] = [];
  for (let round = 0; round < rounds; round++) results.push(await measureCalls(callers, seconds, call));
  const figure = (which: "perSecond" | "p50" | "p99") => median(results.map((result) => result[which]));
  const times = [figure("p50").toFixed(2), figure("p99").toFixed(2)];
  return [name, request, String(callers), Math.round(figure("perSecond")).toLocaleString("en"), ...times];
}

async function measurePeer(name: string, database: PostgresServer): Promise<void> {
  const peerPort = 18_200;
  const config = `
    disable_mlock = true
    api_addr      = "http://127.0.0.1:${peerPort}"
    cluster_addr  = "http://127.0.0.1:${peerPort + 1}"
    listener "tcp" {
      address     = "127.0.0.1:${peerPort}"
      tls_disable = true
    }
    storage "raft" {
      path    = "./data"
      node_id = "bench"
    }`;
  await inFolder({ "server.hcl": config }, async (folder) => {
    mkdirSync(join(folder, "data"));
    const server = spawn(name, ["server", "-config=server.hcl"], { cwd: folder, stdio: "ignore" });
    await sleep(3_000);
    await measureServer(basename(name), peerPort, database);
    server.kill("SIGTERM");
    await once(server, "exit");
  });
}

function said(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    child.stdout?.on("data", (piece) => {
      text += String(piece);
      const found = pattern.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
}
