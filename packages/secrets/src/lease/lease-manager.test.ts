import { describe, expect, test } from "vitest";
import { quiet } from "../../test/fake-clock.ts";
import { idOf, leaseAccount, lifetimesBench, neverLead, tokenGrant } from "../../test/lifetimes.ts";
import { allPaths } from "../storage.ts";

async function ready(seed = 1) {
  const bench = lifetimesBench(seed);
  const server = await bench.open();
  const root = await idOf(server, (await server.tokens.createRoot()).clientToken);
  return { ...bench, server, root };
}

describe("a lease", () => {
  test("is stored before what it stands for is made", async () => {
    const { server, root, storage } = await ready();
    let stored: readonly string[] = [];
    const { id, data } = await server.leases.grant({
      path: "db/creds/app",
      token: root,
      grant: { ttl: 60, maxTtl: 0, renewable: true, internal: {} },
      make: async () => {
        stored = await allPaths(storage, "expire/id/");
        return { username: "u" };
      },
    });
    expect(id).toMatch(/^db\/creds\/app\/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(stored).toEqual([`expire/id/${id}`]);
    expect(data).toEqual({ username: "u" });
    await server.close();
  });

  test("takes back what was half made, and is gone", async () => {
    const { server, root, db, storage } = await ready();
    const asked = server.leases.grant({
      path: "db/creds/app",
      token: root,
      grant: { ttl: 60, maxTtl: 0, renewable: true, internal: { account: "half" } },
      make: async () => {
        db.accounts.set("half", 1);
        throw new Error("the connection broke");
      },
    });
    await expect(asked).rejects.toThrow("the connection broke");
    expect([...db.accounts]).toEqual([]);
    expect(await allPaths(storage, "expire/")).toEqual([]);
    await server.close();
  });

  test("ends by itself, not before its time", async () => {
    const { server, root, db, clock, storage } = await ready();
    await leaseAccount(server, db, { token: root, account: "a", ttl: 60 });
    await clock.advance(59_900);
    expect([...db.accounts.keys()]).toEqual(["a"]);
    await clock.advance(200);
    expect([...db.accounts.keys()]).toEqual([]);
    expect(await allPaths(storage, "expire/")).toEqual([]);
    await server.close();
  });

  test("lasts as its mount says where nothing is asked, and no longer than any maximum", async () => {
    const { server, root, db } = await ready();
    const durations: number[] = [];
    for (const times of [{ ttl: 0 }, { ttl: 1e6 }, { ttl: 50, maxTtl: 20 }]) {
      durations.push((await leaseAccount(server, db, { token: root, account: "a", ...times })).duration);
    }
    expect(durations).toEqual([3600, 24 * 3600, 20]);
    await server.close();
  });

  test("is extended from now on, in the database too, up to its maximum", async () => {
    const { server, root, db, clock } = await ready();
    const { id } = await leaseAccount(server, db, { token: root, account: "a", ttl: 60, maxTtl: 100 });
    const start = clock.now();
    await clock.advance(30_000);
    expect(await server.leases.renew(id, 0)).toEqual({ id, duration: 60, renewable: true, warnings: [] });
    expect(db.accounts.get("a")).toBe(start + 90_000);
    expect((await server.leases.renew(id, 3600)).duration).toBe(70);
    expect((await server.leases.renew(id, 3600)).warnings).toEqual([
      "1h0m0s were asked for, 1m10s are left of its maximum of 1m40s",
    ]);
    await clock.advance(69_000);
    expect(await server.leases.lookup(id)).toEqual({
      id,
      issued: start,
      expires: start + 100_000,
      lastRenewal: start + 30_000,
      renewable: true,
      ttl: 1,
    });
    await clock.advance(2000);
    expect(db.accounts.size).toBe(0);
    await expect(server.leases.renew(id, 0)).rejects.toThrow("lease not found");
    await server.close();
  });

  test("stays as it was where the database refuses to extend it", async () => {
    const { server, root, db } = await ready();
    const { id } = await leaseAccount(server, db, { token: root, account: "a" });
    db.state = "down";
    await expect(server.leases.renew(id, 3600)).rejects.toThrow("connection refused");
    expect((await server.leases.lookup(id))?.ttl).toBe(60);
    await server.close();
  });

  const refused = [
    { name: "that there is not", id: "db/creds/app/x", want: "lease not found" },
    { name: "that cannot be renewed", id: undefined, want: "lease is not renewable" },
    { name: "with a strange name", id: "../..//x", want: "lease not found" },
  ];
  test.each(refused)("$name is not renewed", async ({ id, want }) => {
    const { server, root, db } = await ready();
    const fixed = await leaseAccount(server, db, { token: root, account: "a", renewable: false });
    await expect(server.leases.renew(id ?? fixed.id, 0)).rejects.toThrow(want);
    await server.close();
  });

  test("is revoked at once, and a second time without complaint", async () => {
    const { server, root, db } = await ready();
    const { id } = await leaseAccount(server, db, { token: root, account: "a" });
    await server.leases.revoke(id);
    await server.leases.revoke(id);
    expect(db.dropped).toEqual(["a"]);
    expect(await server.leases.lookup(id)).toBeUndefined();
    await server.close();
  });

  test("is not granted to a token at its last use", async () => {
    const { server, db } = await ready();
    const { clientToken } = await server.tokens.create(tokenGrant({ numUses: 2 }), "auth/jwt/login");
    const first = await server.tokens.use(clientToken);
    await leaseAccount(server, db, { token: first!.caller.token, account: "a" });
    const last = await server.tokens.use(clientToken);
    const asked = leaseAccount(server, db, { token: last!.caller.token, account: "b" });
    await expect(asked).rejects.toThrow("this was the last use of the token");
    expect([...db.accounts.keys()]).toEqual(["a"]);
    await server.close();
  });

  test("ended while its credential was being made leaves no credential", async () => {
    const { server, db, storage, clock } = await ready();
    const { clientToken } = await server.tokens.create(tokenGrant(), "auth/jwt/login");
    const token = await idOf(server, clientToken);
    let ended: Promise<void> | undefined;
    const asked = server.leases.grant({
      path: "db/creds/app",
      token,
      grant: { ttl: 60, maxTtl: 0, renewable: true, internal: { account: "late" } },
      make: async (expires) => {
        ended = server.tokens.revoke(token);
        await quiet();
        db.accounts.set("late", expires);
        return {};
      },
    });
    await expect(asked).rejects.toThrow("taken back");
    await ended;
    expect([...db.accounts]).toEqual([]);
    await clock.advance(60_000);
    expect(await allPaths(storage, "expire/")).toEqual([]);
    await server.close();
  });
});

test("ends all leases under a path, and no others", async () => {
  const { server, root, db } = await ready();
  for (const path of ["db/creds/app", "db/creds/app2", "db/creds/app/sub"]) {
    await leaseAccount(server, db, { token: root, account: path, path });
  }
  await server.leases.revokePrefix("db/creds/app");
  expect([...db.accounts.keys()]).toEqual(["db/creds/app2"]);
  expect(await server.leases.list("db/")).toEqual(["creds/"]);
  expect(await server.leases.list("db/creds/")).toEqual(["app2/"]);
  await server.leases.revokePrefix("db/");
  expect(db.accounts.size).toBe(0);
  await server.close();
});

test("says that a lease could not be taken back, and forgets it only by force", async () => {
  const { server, root, db, clock } = await ready();
  const { id } = await leaseAccount(server, db, { token: root, account: "a" });
  db.state = "down";
  await expect(server.leases.revoke(id)).rejects.toThrow(
    "failed to revoke the lease: connection refused. It is tried again until it is done.",
  );
  await expect(server.leases.renew(id, 0)).rejects.toThrow("lease expired");
  await server.leases.revokeForce("db/");
  expect(await server.leases.lookup(id)).toBeUndefined();
  await clock.advance(3_600_000);
  expect(db.dropped).toEqual([]);
  await server.close();
});

test("drops the account once the database is back, when it was down at the lease's end", async () => {
  const { server, root, db, clock } = await ready();
  await leaseAccount(server, db, { token: root, account: "a", ttl: 60 });
  db.state = "down";
  await clock.advance(75_000);
  expect([...db.accounts.keys()]).toEqual(["a"]);
  db.state = "up";
  await clock.advance(30_000);
  expect([...db.accounts.keys()]).toEqual([]);
  await server.close();
});

test("marks a lease as irrevocable after six attempts, tells so, and still cleans up in the end", async () => {
  const { server, root, db, clock, storage } = await ready();
  const { id } = await leaseAccount(server, db, { token: root, account: "a", ttl: 60 });
  db.state = "down";
  await clock.advance(30 * 60_000);
  expect(await server.leases.lookup(id)).toMatchObject({ irrevocable: "connection refused", ttl: 0, renewable: false });
  expect(await server.leases.count()).toEqual({
    total: 1,
    irrevocable: 1,
    byMount: { "db/": { total: 1, irrevocable: 1 } },
  });
  db.state = "up";
  await clock.advance(10 * 60_000);
  expect([...db.accounts.keys()]).toEqual([]);
  expect(await allPaths(storage, "expire/")).toEqual([]);
  await server.close();
});

test("one database that hangs does not hold up another", async () => {
  const { server, root, db, other, clock } = await ready();
  db.state = "hanging";
  for (let i = 0; i < 100; i++) await leaseAccount(server, db, { token: root, account: `a${i}`, ttl: 60 });
  await leaseAccount(server, other, { token: root, account: "b", path: "other/creds/app", ttl: 61 });
  await clock.advance(61_500);
  expect(other.accounts.size).toBe(0);
  db.state = "up";
  await clock.advance(30 * 60_000);
  expect(db.accounts.size).toBe(0);
  await server.close();
});

test("a clock that is set forward ends leases soon, one that is set back does not end them", async () => {
  const { server, root, db, clock } = await ready();
  await leaseAccount(server, db, { token: root, account: "a", ttl: 3600 });
  clock.step(-1_800_000);
  await clock.advance(3_600_000);
  expect(db.accounts.size).toBe(1);
  clock.step(1_800_000);
  await clock.advance(2100);
  expect(db.accounts.size).toBe(0);
  await server.close();
});

describe("after a restart", () => {
  test("leases are watched as before, and what came due meanwhile ends", async () => {
    const { server, root, db, clock, open } = await ready();
    await leaseAccount(server, db, { token: root, account: "a", ttl: 60 });
    await leaseAccount(server, db, { token: root, account: "b", ttl: 600 });
    await server.close();
    await clock.advance(120_000);
    expect(db.accounts.size).toBe(2);
    const next = await open();
    await next.leases.loaded;
    await clock.advance(100);
    expect([...db.accounts.keys()]).toEqual(["b"]);
    await clock.advance(480_000);
    expect(db.accounts.size).toBe(0);
    await next.close();
  });

  test("an end that was begun is gone on with", async () => {
    const { server, root, db, clock, open, storage } = await ready();
    const { id } = await leaseAccount(server, db, { token: root, account: "a", ttl: 3600 });
    db.state = "hanging";
    void server.leases.revoke(id).catch(() => undefined);
    await quiet();
    await server.close();
    db.state = "up";
    const next = await open();
    await clock.advance(31_000);
    expect(db.accounts.size).toBe(0);
    expect(await allPaths(storage, "expire/")).toEqual([]);
    await next.close();
  });
});

describe("of several servers", () => {
  test("one watches the leases that another granted", async () => {
    const { server, root, db, clock, open } = await ready();
    const other = await open(neverLead);
    const { id } = await leaseAccount(other, db, { token: root, account: "a", ttl: 60 });
    await clock.advance(50_000);
    await other.leases.renew(id, 60);
    await clock.advance(50_000);
    expect(db.accounts.size).toBe(1);
    await clock.advance(11_000);
    expect(db.accounts.size).toBe(0);
    await server.close();
    await other.close();
  });

  test("one that has not yet heard of a renewal does not end the lease", async () => {
    const { server, root, db, clock, open, storage } = await ready();
    await server.close();
    const deaf = await open(undefined, { ...storage, follow: () => () => undefined });
    const other = await open(neverLead);
    const { id } = await leaseAccount(deaf, db, { token: root, account: "a", ttl: 60 });
    await deaf.close();
    const watching = await open(undefined, { ...storage, follow: () => () => undefined });
    await watching.leases.loaded;
    await other.leases.renew(id, 3600);
    await clock.advance(61_000);
    expect(db.accounts.size).toBe(1);
    await clock.advance(3_600_000);
    expect(db.accounts.size).toBe(0);
    await watching.close();
    await other.close();
  });

  test("one goes on where another failed to revoke", async () => {
    const { server, root, db, clock, open } = await ready();
    const other = await open(neverLead);
    const { id } = await leaseAccount(other, db, { token: root, account: "a", ttl: 3600 });
    db.state = "down";
    await expect(other.leases.revoke(id)).rejects.toThrow("connection refused");
    db.state = "up";
    await clock.advance(40_000);
    expect(db.accounts.size).toBe(0);
    await server.close();
    await other.close();
  });
});
