import { setTimeout as pause } from "node:timers/promises";
import { type Clock, systemClock } from "@millwright/core/ports";
import { openMemoryStore } from "@millwright/store/memory";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { as, psql, roleNames } from "../../test/leased-login.ts";
import type { PostgresServer } from "../../test/postgres-server.ts";
import { startPostgres } from "../../test/postgres-server.ts";
import { askerOf, openTestServer, type TestServer } from "../../test/secrets-server.ts";
import { openSecrets } from "../secrets.ts";

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres({ database: "myapp" });
  await postgres.adminSql("CREATE TABLE widgets (name text); INSERT INTO widgets VALUES ('cog')");
});
afterAll(() => postgres.stop());

/** Twenty times as fast as time is, so that pauses between attempts pass quickly. */
function fastClock(): Clock {
  const start = Date.now();
  return {
    ...systemClock,
    now: () => start + (Date.now() - start) * 20,
    sleep: (milliseconds, signal) => systemClock.sleep(milliseconds / 20, signal),
  };
}

const sql = `CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{{name}}";`;

async function open(lease: string): Promise<TestServer> {
  const store = openMemoryStore();
  const server = await openTestServer({ store, clock: fastClock() });
  onTestFinished(async () => {
    await server.close();
    await store.close();
  });
  await server.call("POST sys/mounts/postgresql", { type: "postgresql" });
  await server.call("PUT postgresql/config/connection", { connection_url: postgres.url });
  await server.call("PUT postgresql/config/lease", { lease, lease_max: "24h" });
  await server.call("PUT postgresql/roles/readonly", { sql });
  return server;
}

async function lent(server: Pick<TestServer, "call">) {
  const { json } = await server.call("GET postgresql/creds/readonly");
  const { username, password } = json.data ?? {};
  return { id: String(json.lease_id), username: String(username), password: String(password), json };
}

async function gone(): Promise<void> {
  for (let tries = 0; tries < 600 && (await roleNames(postgres)).length > 0; tries++) await pause(25);
  expect(await roleNames(postgres)).toEqual([]);
}

test("credentials come with a lease, which can be renewed, and revoked", async () => {
  const server = await open("1h");
  const login = await lent(server);
  expect(login.json).toMatchObject({ lease_duration: 3_600, renewable: true });
  expect(login.id).toMatch(/^postgresql\/creds\/readonly\/[\w-]+$/);
  expect(await psql(postgres, login, "SELECT * FROM widgets")).toContain("cog");
  const { json } = await server.call("PUT sys/leases/renew", { lease_id: login.id, increment: 7_200 });
  expect(json).toMatchObject({ lease_id: login.id, lease_duration: 7_200 });
  await server.call("PUT sys/leases/revoke", { lease_id: login.id });
  await expect(as(postgres, login, "SELECT 1")).rejects.toThrow("password authentication failed");
  expect(await roleNames(postgres)).toEqual([]);
});

test("a login goes with the token that asked for it, and all of a role with its prefix", async () => {
  const server = await open("1h");
  await server.call("PUT sys/policies/acl/app", { policy: 'path "postgresql/creds/*" { capabilities = ["read"] }' });
  const { json } = await server.call("POST auth/token/create", { policies: ["app"] });
  const token = json.auth?.client_token ?? "";
  await server.call("GET postgresql/creds/readonly", undefined, { token });
  await server.call("PUT auth/token/revoke", { token });
  await gone();
  await Promise.all([lent(server), lent(server), lent(server)]);
  await server.call("PUT sys/leases/revoke-prefix/postgresql/creds/readonly");
  expect(await roleNames(postgres)).toEqual([]);
});

test("at the end of its lease a login is gone", async () => {
  const server = await open("60s");
  const login = await lent(server);
  expect(await as(postgres, login, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  await gone();
});

test("a lease that ends while the server is away ends once it is back", async () => {
  const server = await open("60s");
  const login = await lent(server);
  await server.secrets.close();
  await pause(3_200);
  expect(await roleNames(postgres)).toEqual([login.username]);
  const again = await openSecrets({ store: server.store, version: "0.0.0", clock: fastClock() });
  onTestFinished(() => again.close());
  await again.unseal(server.unsealKeys[0]!);
  await gone();
  const next = await lent(askerOf(again, server.rootToken));
  expect(await as(postgres, next, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  await gone();
});

test("a lease that ends while the database is away ends once it is back", async () => {
  const server = await open("60s");
  const { id } = await lent(server);
  await postgres.kill();
  try {
    const refused = await server.ask("GET postgresql/creds/readonly");
    expect(refused.status).toBe(502);
    expect(refused.text).toContain("cannot be reached");
    await pause(3_500);
    // What could not be taken back is not forgotten.
    expect((await server.call("PUT sys/leases/lookup", { lease_id: id })).json.data).toMatchObject({ id });
  } finally {
    await postgres.start();
  }
  await gone();
});

test("nothing is left of a login whose statements fail, not even a lease", async () => {
  const server = await open("1h");
  await server.call("PUT postgresql/roles/readonly", { sql: `${sql} GRANT SELECT ON nowhere TO "{{name}}"` });
  const refused = await server.ask("GET postgresql/creds/readonly");
  expect(refused).toMatchObject({ status: 400 });
  expect(refused.text).toContain("statement 3 of sql (GRANT SELECT …)");
  expect(await roleNames(postgres)).toEqual([]);
  expect((await server.ask("LIST sys/leases/lookup/postgresql/creds/readonly/")).status).toBe(404);
});
