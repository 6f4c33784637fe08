import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { findPostgres, knownOrigins } from "./postgres-programs.ts";
import { startPostgres } from "./postgres-server.ts";

describe.each(knownOrigins())("PostgreSQL of the %s programs", (origin) => {
  test("answers its superuser, keeps its data over a kill, and deletes it at its end", async () => {
    const server = await startPostgres({ origin, database: "myapp" });
    onTestFinished(() => server.stop());
    await server.adminSql("CREATE TABLE widgets (name text); INSERT INTO widgets VALUES ('cog')");
    expect(server.binFolder.includes("node_modules")).toBe(origin === "embedded");

    await server.kill();
    await expect(server.adminSql("SELECT 1")).rejects.toThrow("ECONNREFUSED");

    await server.start();
    expect(await server.adminSql("SELECT current_database() AS at, name FROM widgets")).toEqual([
      { at: "myapp", name: "cog" },
    ]);
    const [row] = await server.adminSql("SHOW data_directory");
    const folder = String(row?.["data_directory"]);
    expect(existsSync(folder)).toBe(true);
    await server.stop();
    expect(existsSync(dirname(folder))).toBe(false);
  });
});

test("a wrong password is refused, over TCP too", async () => {
  const server = await startPostgres();
  onTestFinished(() => server.stop());
  const client = new pg.Client({ connectionString: server.url.replace(server.password, "wrong") });
  await expect(client.connect()).rejects.toThrow("password authentication failed");
});

test("the server and its folder are gone once the process that started it was killed", async () => {
  const program = `
    import { startPostgres } from ${JSON.stringify(new URL("./postgres-server.ts", import.meta.url).href)};
    const server = await startPostgres();
    const [row] = await server.adminSql("SHOW data_directory");
    console.log(JSON.stringify([server.url, row.data_directory]));
    setInterval(() => {}, 1_000);`;
  const starter = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(starter.stdout, "data");
  const [url, folder] = JSON.parse(String(line));
  await expect(connect(url)).resolves.toBeUndefined();

  starter.kill("SIGKILL");
  await once(starter, "exit");
  for (let tries = 0; existsSync(dirname(folder)) && tries < 200; tries++) await pause(25);
  expect(existsSync(dirname(folder))).toBe(false);
  await expect(connect(url)).rejects.toThrow("ECONNREFUSED");
});

test("where there is no PostgreSQL, the error names what to install", () => {
  const folder = mkdtempSync(join(tmpdir(), "millwright-no-postgres-"));
  const path = process.env["PATH"];
  process.env["PATH"] = folder;
  onTestFinished(() => {
    process.env["PATH"] = path;
    rmSync(folder, { recursive: true });
  });
  expect(() => findPostgres({ origin: "system", folder, debianFolder: folder })).toThrow(
    /A real PostgreSQL is needed, .*\. Install Debian's package postgresql, or run npm ci/,
  );
});

async function connect(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.end();
}
