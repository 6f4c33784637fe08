import { chmodSync, copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type PostgresServer, startPostgres } from "@millwright/secrets/postgres-server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DevServer, startDevServer } from "./dev-server.ts";
import { TestFolder } from "./folder.ts";
import { Process } from "./process.ts";
import { launcher, runProgram } from "./program.ts";

/* The talk's template over a running server and a real PostgreSQL. */

let server: DevServer;
let postgres: PostgresServer;
let folder: TestFolder;

beforeAll(async () => {
  folder = new TestFolder();
  mkdirSync(join(folder.path, "bin"));
  symlinkSync(launcher, join(folder.path, "bin", "vault"));
  const fixture = new URL("../testdata/consul-template/myapp-db-config.yml.ctmpl", import.meta.url);
  copyFileSync(fixture, join(folder.path, "myapp-db-config.yml.ctmpl"));
  [server, postgres] = await Promise.all([startDevServer(), startPostgres({ database: "myapp" })]);
  await postgres.adminSql("CREATE TABLE widgets (name text); INSERT INTO widgets VALUES ('cog')");
  writeFileSync(join(folder.path, "url"), postgres.url);
  const role = new URL("../../../examples/secrets/readonly-role.sql", import.meta.url);
  writeFileSync(join(folder.path, "readonly-role.sql"), readFileSync(role));
  for (const line of [
    "vault mount postgresql",
    "vault write postgresql/config/connection connection_url=@url",
    "vault write postgresql/config/lease lease=2s lease_max=5s",
    "cat readonly-role.sql | vault write postgresql/roles/readonly sql=-",
  ]) {
    const done = await runProgram(["-c", line], { program: "/bin/sh", cwd: folder.path, env: environment() });
    expect({ line, code: done.code, err: done.err }).toEqual({ line, code: 0, err: "" });
  }
}, 60_000);

afterAll(async () => {
  await Promise.all([server?.stop(), postgres?.stop()]);
  folder?.remove();
});

function environment(): Readonly<Record<string, string>> {
  const path = `${join(folder.path, "bin")}:${process.env.PATH ?? ""}`;
  return { VAULT_ADDR: server.vault, VAULT_TOKEN: server.rootToken, HOME: folder.path, PATH: path };
}

interface Login {
  readonly username: string;
  readonly password: string;
}

/** The login in the rendered file; undefined while there is none. */
function login(name: string): Login | undefined {
  try {
    const [, username = "", password = ""] = /username: "(.+)"\npassword: "(.+)"\n/.exec(folder.read(name)) ?? [];
    return username === "" ? undefined : { username, password };
  } catch {
    return undefined;
  }
}

async function query({ username, password }: Login, sql: string): Promise<string> {
  const args = ["-h", postgres.host, "-p", String(postgres.port), "-U", username, "-Atc", sql, "myapp"];
  const { out, err } = await runProgram(args, { program: "psql", env: { PGPASSWORD: password } });
  return out + err;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
}

test("the program has a login that works at any time, and none is left when it is interrupted", async () => {
  folder.write({ myapp: "#!/bin/sh\ncat myapp-db-config.yml >> seen.yml\nexec sleep 600\n" });
  chmodSync(join(folder.path, "myapp"), 0o755);
  const template = "-template=myapp-db-config.yml.ctmpl:myapp-db-config.yml";
  const setting = { cwd: folder.path, env: environment() };
  const running = Process.start(["consul-template", template, "./myapp"], setting);
  await until(() => login("seen.yml") !== undefined);
  const first = login("myapp-db-config.yml")!;
  expect(await query(first, "SELECT name FROM widgets")).toBe("cog\n");
  expect(await query(first, "INSERT INTO widgets VALUES ('x')")).toContain("permission denied for table");
  // Longer than the lease: it has been renewed. Then its maximum is near: there is another one before it ends.
  await new Promise((resolve) => setTimeout(resolve, 2500));
  expect(await query(login("myapp-db-config.yml")!, "SELECT 1")).toBe("1\n");
  await until(() => login("myapp-db-config.yml")!.username !== first.username);
  const second = login("myapp-db-config.yml")!;
  expect(await query(second, "SELECT name FROM widgets")).toBe("cog\n");
  running.signal("SIGINT");
  expect(await running.ended).toMatchObject({ code: 12, err: "Received interrupt, cleaning up...\n" });
  for (const gone of [first, second]) expect(await query(gone, "SELECT 1")).toContain("password authentication failed");
  const left = await postgres.adminSql("SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname <> 'postgres'");
  expect(left).toEqual([]);
});
