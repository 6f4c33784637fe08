import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { PostgresServer } from "../../test/postgres-server.ts";
import { startPostgres } from "../../test/postgres-server.ts";
import { parseConnection } from "./connection-url.ts";
import { Postgres } from "./postgres.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
  await server.adminSql("CREATE TABLE widgets (name text); CREATE ROLE reader");
});
afterAll(() => server.stop());

function open(url = server.url): Postgres {
  const parsed = parseConnection(url, { username: "", password: "", isVerbatim: false });
  if (!parsed.ok) throw new Error(parsed.fault);
  const postgres = new Postgres({ place: parsed.place, maxOpen: 4, maxLifetime: 0 });
  onTestFinished(() => postgres.close());
  return postgres;
}

const grant = "GRANT SELECT ON widgets TO reader; SELECT pg_sleep(0.03); REVOKE SELECT ON widgets FROM reader";

test("transactions of one go one after another, so that grants do not collide", async () => {
  const postgres = open();
  const order: string[] = [];
  await Promise.all(
    [1, 2, 3].map((i) =>
      postgres.transaction(async (transaction) => {
        order.push(`begin ${i}`);
        await transaction.query(grant);
        order.push(`end ${i}`);
      }),
    ),
  );
  expect(order).toEqual(["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3"]);
});

test("grants of two servers that collide are tried again", async () => {
  let runs = 0;
  const bothBegan = Promise.withResolvers<void>();
  const work = (postgres: Postgres) =>
    postgres.transaction(async (transaction) => {
      if (++runs === 2) bothBegan.resolve();
      await bothBegan.promise;
      return transaction.query(grant);
    });
  await Promise.all([open(), open()].map(work));
  expect(runs).toBeGreaterThan(2);
});

test("all who wait for a server that is silent are answered by its first timeout", async () => {
  const silent = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(silent, "listening");
  onTestFinished(() => void silent.close());
  const address = silent.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const postgres = open(`postgresql://u:hunter2@127.0.0.1:${port}/x?sslmode=disable&connect_timeout=1`);
  const start = performance.now();
  const outcomes = await Promise.all(
    Array.from({ length: 5 }, () => postgres.transaction((transaction) => transaction.query("SELECT 1")).catch(String)),
  );
  expect(performance.now() - start).toBeLessThan(4_000);
  for (const outcome of outcomes) expect(outcome).toMatch(/database x, cannot be reached: .*timeout/i);
});

test("a connection that ends in the middle fails its transaction, and the next one has another", async () => {
  const postgres = open();
  for (let round = 0; round < 5; round++) {
    const cut = postgres.transaction(async (transaction) => {
      const [row] = await transaction.query("SELECT pg_backend_pid() AS pid");
      await server.adminSql(`SELECT pg_terminate_backend(${row?.["pid"]})`);
      await pause(10);
      return transaction.query("SELECT 1");
    });
    await expect(cut).rejects.toThrow(/cannot be reached/);
    expect(await postgres.transaction((transaction) => transaction.query("SELECT 1 AS one"))).toEqual([{ one: 1 }]);
  }
});

test("a failure in the middle leaves nothing, and the connection can be used again", async () => {
  const postgres = open();
  await expect(
    postgres.transaction(async (transaction) => {
      await transaction.query("CREATE ROLE half");
      await transaction.query("SELECT nonsense", { what: "the nonsense" });
    }),
  ).rejects.toThrow(/^PostgreSQL refuses the nonsense: column "nonsense" does not exist \(SQLSTATE 42703\)\.$/);
  const rows = await postgres.transaction((transaction) =>
    transaction.query("SELECT count(*)::int AS n FROM pg_roles WHERE rolname = 'half'"),
  );
  expect(rows).toEqual([{ n: 0 }]);
});
