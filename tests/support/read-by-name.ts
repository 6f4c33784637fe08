// `node read-by-name.ts MILLWRIGHT FOLDER`: in a network of its own, runs `millwright dev` with DNS on port 53 and a
// PostgreSQL, reads a login by the name vault.service.consul, and prints what the commands printed, as JSON.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startPostgres } from "@millwright/secrets/postgres-server";
import { type Outcome, runCommand } from "./commands.ts";

const [millwright = "", folder = ""] = process.argv.slice(2);
const role = `CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}'`;
const home = { ...process.env, HOME: folder, XDG_STATE_HOME: join(folder, "state") };

const postgres = await startPostgres({ database: "myapp" });
const dev = spawn(millwright, ["dev", "-dns-port=53", "-log-level=warn"], {
  cwd: folder,
  env: home,
  stdio: ["ignore", "pipe", "inherit"],
});
try {
  let banner = "";
  for await (const piece of dev.stdout) {
    banner += String(piece);
    if (banner.includes("^C ends both.")) break;
  }
  const tokenFile = /VAULT_TOKEN=\$\(cat (\S+)\)/.exec(banner)?.[1] ?? "";
  const token = readFileSync(tokenFile, "utf8").trim();
  const vault = (args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Outcome> =>
    runCommand(millwright, ["vault", ...args], { cwd: folder, env: { ...home, VAULT_TOKEN: token, ...more } });
  writeFileSync(join(folder, "url"), postgres.url);
  await vault(["mount", "postgresql"]);
  await vault(["write", "postgresql/config/connection", "connection_url=@url"]);
  await vault(["write", "postgresql/roles/readonly", `sql=${role}`]);
  await found("vault.service.consul");
  const byName = await vault(["read", "postgresql/creds/readonly"], { VAULT_ADDR: "http://vault.service.consul" });
  const byPort = await vault(["status"], { VAULT_ADDR: "http://vault.service.consul:8200" });
  process.stdout.write(JSON.stringify({ byName, byPort }));
} finally {
  dev.kill("SIGTERM");
  await once(dev, "close");
  await postgres.stop();
}

// The check of a service that was registered a moment ago has yet to pass.
async function found(name: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const { code } = await runCommand("getent", ["hosts", name], { cwd: folder });
    if (code === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
