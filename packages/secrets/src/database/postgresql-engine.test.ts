import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { as, lend, psql, roleNames } from "../../test/leased-login.ts";
import type { OpenedEngine } from "../../test/open-engine.ts";
import { openEngine } from "../../test/open-engine.ts";
import type { PostgresServer } from "../../test/postgres-server.ts";
import { startPostgres } from "../../test/postgres-server.ts";
import { postgresqlEngine } from "./postgresql-engine.ts";

let server: PostgresServer;
let postgresql: OpenedEngine;

beforeAll(async () => {
  server = await startPostgres({ database: "myapp" });
  await server.adminSql("CREATE TABLE widgets (name text); INSERT INTO widgets VALUES ('cog')");
});
afterAll(() => server.stop());

afterEach(() => postgresql.engine.close?.());

async function open(): Promise<OpenedEngine> {
  postgresql = await openEngine(postgresqlEngine(), { time: { now: Date.now() } });
  return postgresql;
}

/** As it stands in the role's file, with the newline that standard input brings. */
const sql = `CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{{name}}";\n`;

test("the lines of 2016 lend a login that can select, not write, says until when, and ends", async () => {
  const { call, engine } = await open();
  expect(await call("update", "config/connection", { connection_url: server.url })).toMatchObject({ kind: "done" });
  await call("update", "config/lease", { lease: "1h", lease_max: "24h" });
  expect(await call("create", "roles/readonly", { sql })).toEqual({ kind: "done", warnings: [] });
  expect(await call("read", "roles/readonly")).toEqual({ kind: "data", data: { sql } });
  expect(await call("list", "roles")).toEqual({ kind: "data", data: { keys: ["readonly"] } });
  expect(await call("read", "creds/readonly")).toMatchObject({
    kind: "lease",
    grant: { ttl: 3_600, maxTtl: 86_400, renewable: true },
  });

  const login = await lend(postgresql, "creds/readonly");
  expect(await psql(server, login, "SELECT name FROM widgets")).toContain("cog");
  await expect(psql(server, login, "DELETE FROM widgets")).rejects.toThrow("permission denied");
  expect(await psql(server, login, "\\du")).toContain("Password valid until");
  await engine.renewLease?.(login.lease, Date.parse("2033-03-03T03:03:03Z"));
  expect(await psql(server, login, "\\du")).toContain("2033-03-03 03:03:03");
  await engine.revokeLease?.(login.lease);
  await expect(as(server, login, "SELECT 1")).rejects.toThrow("password authentication failed");
  expect(await roleNames(server)).toEqual([]);
});

test("revocation_sql is what takes a login back, where there is one", async () => {
  const { call, engine } = await open();
  await call("update", "config/connection", { value: server.url });
  await call("create", "roles/readonly", { sql, revocation_sql: `ALTER ROLE "{{name}}" NOLOGIN` });
  const login = await lend(postgresql, "creds/readonly");
  await engine.revokeLease?.(login.lease);
  await expect(as(server, login, "SELECT 1")).rejects.toThrow("not permitted to log in");
  await call("update", "roles/readonly", { sql });
  await engine.revokeLease?.(login.lease);
  expect(await roleNames(server)).toEqual([]);
});

describe("what is told", () => {
  test("of the connection has no password in it", async () => {
    const { call } = await open();
    await call("update", "config/connection", { connection_url: server.url, max_open_connections: 3 });
    const shown = server.url.replace(server.password, "*****");
    expect(await call("read", "config/connection")).toEqual({
      kind: "data",
      data: { connection_url: shown, max_open_connections: 3, max_idle_connections: 0 },
    });
  });

  test("of the lease is what was written", async () => {
    const { call } = await open();
    expect(await call("read", "config/lease")).toEqual({ kind: "missing" });
    await call("update", "config/lease", { lease: "90m", lease_max: "1d" });
    expect(await call("read", "config/lease")).toEqual({
      kind: "data",
      data: { lease: "1h30m0s", lease_max: "24h0m0s" },
    });
  });
});

test.each([
  { name: "credentials of no role", path: "creds/none", want: "unknown role: none" },
  { name: "a role without sql", path: "roles/x", data: { revocation_sql: "SELECT 1" }, want: "sql is missing" },
  {
    name: "sql with an open quote",
    path: "roles/x",
    data: { sql: `CREATE ROLE "x` },
    want: "A quoted name that begins",
  },
  {
    name: "a lease beyond its maximum",
    path: "config/lease",
    data: { lease: "2h", lease_max: "1h" },
    want: "lease_max",
  },
  {
    name: "a wrong connection",
    path: "config/connection",
    data: { connection_url: "postgresql://u:hunter2@127.0.0.1:1/x" },
    want: "ECONNREFUSED",
  },
  { name: "another path", path: "config/other", want: "no such path" },
])("$name: refused, saying why", async ({ path, data, want }) => {
  const { call } = await open();
  const reply = await call(data ? "update" : "read", path, data);
  expect(reply).toMatchObject({ kind: "refused" });
  expect(JSON.stringify(reply)).toContain(want);
  expect(JSON.stringify(reply)).not.toContain("hunter2");
});

test("credentials without a connection say what to write first", async () => {
  const { call } = await open();
  await call("create", "roles/readonly", { sql });
  expect(JSON.stringify(await call("read", "creds/readonly"))).toContain("config/connection first");
});
