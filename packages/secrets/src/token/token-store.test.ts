import { describe, expect, test } from "vitest";
import { idOf, leaseAccount, lifetimesBench, neverLead, tokenGrant } from "../../test/lifetimes.ts";
import { allPaths, type SecretStorage, type StorageChange } from "../storage.ts";

async function ready(seed = 1) {
  const bench = lifetimesBench(seed);
  const server = await bench.open();
  const { tokens } = server;
  const make = async (more: Parameters<typeof tokenGrant>[0] = {}) => {
    const { clientToken } = await tokens.create(tokenGrant(more), "auth/token/create");
    return { clientToken, id: await idOf(server, clientToken) };
  };
  return { ...bench, server, tokens, make };
}

describe("a token", () => {
  test("is a random text that the store does not hold", async () => {
    const { server, tokens, storage } = await ready();
    const auth = await tokens.create(tokenGrant({ metadata: { host: "a" } }), "auth/jwt/login");
    expect(auth.clientToken).toMatch(/^hvs\.[A-Za-z0-9]{24}$/);
    expect(auth).toEqual({
      clientToken: auth.clientToken,
      accessor: expect.stringMatching(/^[A-Za-z0-9]{24}$/),
      policies: ["app", "default"],
      metadata: { host: "a" },
      leaseDuration: 600,
      renewable: true,
      orphan: true,
      numUses: 0,
    });
    for (const path of await allPaths(storage, "")) {
      const stored = Buffer.from((await storage.get(path))!.value).toString("latin1");
      expect(path + stored).not.toContain(auth.clientToken.slice(4));
    }
    await server.close();
  });

  test("is not forgotten before it is written that all that is leased to it ends", async () => {
    const bench = lifetimesBench();
    const { storage, clock, db } = bench;
    const busy = Promise.withResolvers<void>();
    const isSlow = (change: StorageChange) =>
      change.op === "put" && change.path.startsWith("expire/id/db/") && Buffer.from(change.value).includes('"ending"');
    const slow: SecretStorage = {
      ...storage,
      commit: async (changes, conditions) => {
        if (changes.some(isSlow)) await busy.promise;
        return storage.commit(changes, conditions);
      },
    };
    const server = await bench.open(undefined, slow);
    const { clientToken } = await server.tokens.create(tokenGrant(), "auth/token/create");
    const id = await idOf(server, clientToken);
    await leaseAccount(server, db, { token: id, account: "a" });
    const ended = server.tokens.revoke(id);
    await clock.advance(10_000);
    expect((await allPaths(storage, "token/id/")).length, "a crash now would leave its lease alone").toBe(1);
    busy.resolve();
    await ended;
    expect([...db.accounts]).toEqual([]);
    expect(await allPaths(storage, "token/id/")).toEqual([]);
    await server.close();
  });

  test("is known by itself, its id and its accessor, and by nothing else", async () => {
    const { server, tokens, make } = await ready();
    const { clientToken, id } = await make();
    const view = await tokens.find(clientToken);
    expect(view).toMatchObject({
      id,
      policies: ["app", "default"],
      creationTtl: 600,
      ttl: 600,
      path: "auth/token/create",
    });
    expect(await tokens.byId(id)).toEqual(view);
    expect(await tokens.byAccessor(view!.accessor)).toEqual(view);
    expect(await tokens.accessors()).toEqual([view!.accessor]);
    for (const wrong of ["", `${clientToken}x`, id]) expect(await tokens.use(wrong)).toBeUndefined();
    for (const wrong of ["", "../id/x", id]) expect(await tokens.byAccessor(wrong)).toBeUndefined();
    await server.close();
  });

  test("ends by itself, not before its time, and also where no server watches", async () => {
    const { server, tokens, make, clock, open, storage } = await ready();
    await server.close();
    const deaf = await open(neverLead);
    const { clientToken } = await make();
    await clock.advance(599_000);
    expect((await deaf.tokens.use(clientToken))?.view.ttl).toBe(1);
    await clock.advance(1000);
    expect(await deaf.tokens.use(clientToken)).toBeUndefined();
    expect(await tokens.find(clientToken)).toBeUndefined();
    const next = await open();
    await clock.advance(100);
    expect(await allPaths(storage, "")).toEqual(["token/salt"]);
    await deaf.close();
    await next.close();
  });

  test("of a root never ends", async () => {
    const { server, tokens, clock } = await ready();
    const root = await tokens.createRoot();
    expect(root).toMatchObject({ policies: ["root"], leaseDuration: 0, renewable: false, orphan: true });
    clock.step(10 * 365 * 24 * 3600 * 1000);
    await clock.advance(5000);
    const used = await tokens.use(root.clientToken);
    expect(used?.caller).toMatchObject({ displayName: "root", policies: ["root"] });
    await expect(tokens.renew(used!.view.id, 60)).rejects.toThrow("lease is not renewable");
    await server.close();
  });

  test("is extended up to the maximum of its mount, its login and itself", async () => {
    const { server, tokens, make, clock } = await ready();
    const limits = [
      { name: "mount", grant: {}, want: 24 * 3600 },
      { name: "login", grant: { maxTtl: 7200 }, want: 7200 },
      { name: "itself", grant: { explicitMaxTtl: 1800, maxTtl: 7200 }, want: 1800 },
    ];
    for (const { name, grant, want } of limits) {
      const { id } = await make(grant);
      await clock.advance(60_000);
      const { view, warnings } = await tokens.renew(id, 1e9);
      expect([name, view.ttl + 60, warnings.length]).toEqual([name, want, 1]);
      expect((await tokens.renew(id, 0)).view.ttl).toBe(600);
    }
    await server.close();
  });

  test("with a period is extended by it without end", async () => {
    const { server, tokens, make, clock } = await ready();
    const { id } = await make({ period: 48 * 3600, ttl: 5 });
    for (let day = 0; day < 100; day++) {
      clock.step(24 * 3600 * 1000);
      await clock.advance(2500);
      expect((await tokens.renew(id, 7)).view.ttl).toBe(48 * 3600);
    }
    await server.close();
  });

  test("can be used as often as it may, and not once more", async () => {
    const { server, tokens, make, clock, storage } = await ready();
    const { clientToken, id } = await make({ numUses: 2 });
    expect(await tokens.use(clientToken)).toMatchObject({ isLast: false, view: { numUses: 1 } });
    expect(await tokens.use(clientToken)).toMatchObject({ isLast: true });
    expect(await tokens.byId(id)).toMatchObject({ numUses: -1 });
    expect(await tokens.use(clientToken)).toBeUndefined();
    expect(await tokens.find(clientToken)).toBeUndefined();
    // Also where whoever answered the last request never came to its end.
    await clock.advance(61_000);
    expect(await allPaths(storage, "")).toEqual(["token/salt"]);
    await server.close();
  });

  test("is counted right by many requests at once", async () => {
    const { server, tokens, make } = await ready();
    const { clientToken } = await make({ numUses: 20 });
    const uses = await Promise.all(Array.from({ length: 50 }, () => tokens.use(clientToken)));
    expect(uses.filter((used) => used !== undefined).length).toBe(20);
    expect(uses.filter((used) => used?.isLast).length).toBe(1);
    await server.close();
  });

  const refused = [
    { name: "with a negative time", grant: { ttl: -1 }, path: "auth/token/create", want: "not negative" },
    { name: "as root by a login", grant: { policies: [" Root"] }, path: "auth/jwt/login", want: "cannot create root" },
    { name: "with a prefix of ours", grant: { id: "hvs.x" }, path: "auth/token/create", want: "'hvs.' prefix" },
    { name: "with a point", grant: { id: "a.b" }, path: "auth/token/create", want: "without a point" },
  ];
  test.each(refused)("is not made $name", async ({ grant, path, want }) => {
    const { server, tokens } = await ready();
    await expect(tokens.create(tokenGrant(grant), path)).rejects.toThrow(want);
    await server.close();
  });

  test("that is chosen is not made twice", async () => {
    const { server, tokens, make } = await ready();
    expect((await make({ id: "chosen" })).clientToken).toBe("chosen");
    await expect(tokens.create(tokenGrant({ id: "chosen" }), "auth/token/create")).rejects.toThrow("duplicate ID");
    await server.close();
  });
});

describe("the end of a token", () => {
  test("is the end of its children, of theirs, and of all that was leased to them", async () => {
    const { server, tokens, make, db, storage } = await ready();
    const root = await make({ policies: ["root"] });
    const parent = await make();
    const child = await make({ parent: parent.id });
    const grandchild = await make({ parent: child.id });
    const stranger = await make();
    for (const { id } of [root, parent, child, grandchild, stranger]) {
      await leaseAccount(server, db, { token: id, account: id });
    }
    await tokens.revoke(parent.id);
    expect([...db.accounts.keys()]).toEqual([root.id, stranger.id]);
    for (const { clientToken } of [parent, child, grandchild]) expect(await tokens.use(clientToken)).toBeUndefined();
    expect(await tokens.use(stranger.clientToken)).toBeDefined();
    expect((await allPaths(storage, "token/parent/")).length).toBe(0);
    expect((await tokens.accessors()).length).toBe(2);
    await server.close();
  });

  test("comes with the end of its lease too", async () => {
    const { server, tokens, make, db, storage } = await ready();
    const { id, clientToken } = await make();
    await leaseAccount(server, db, { token: id, account: "a" });
    expect(await server.leases.list("auth/token/create/")).toEqual([id]);
    await server.leases.revoke(`auth/token/create/${id}`);
    expect(await tokens.find(clientToken)).toBeUndefined();
    expect(db.accounts.size).toBe(0);
    expect(await allPaths(storage, "")).toEqual(["token/salt"]);
    await server.close();
  });

  test("leaves its children as orphans where that is asked", async () => {
    const { server, tokens, make, db } = await ready();
    const parent = await make();
    const child = await make({ parent: parent.id });
    await leaseAccount(server, db, { token: parent.id, account: "parent" });
    await leaseAccount(server, db, { token: child.id, account: "child" });
    await tokens.revokeOrphan(parent.id);
    expect(await tokens.find(parent.clientToken)).toBeUndefined();
    expect((await tokens.find(child.clientToken))?.parent).toBeUndefined();
    expect([...db.accounts.keys()]).toEqual(["child"]);
    await server.close();
  });

  test("does not wait for a database that hangs, and does not forget it", async () => {
    const { server, tokens, make, db, clock, storage } = await ready();
    const { id, clientToken } = await make({ ttl: 3600 });
    await leaseAccount(server, db, { token: id, account: "a", ttl: 3600 });
    db.state = "hanging";
    const revoked = tokens.revoke(id);
    await clock.advance(5000);
    await revoked;
    expect(await tokens.find(clientToken)).toBeUndefined();
    db.state = "up";
    await clock.advance(120_000);
    expect(db.accounts.size).toBe(0);
    expect(await allPaths(storage, "")).toEqual(["token/salt"]);
    await server.close();
  });

  test("leaves no place for a child or a lease that was asked for at the same time", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { server, tokens, make, db, clock, storage } = await ready(seed);
      const parent = await make();
      const race = [
        tokens.create(tokenGrant({ parent: parent.id }), "auth/token/create"),
        leaseAccount(server, db, { token: parent.id, account: "a", ttl: 36_000 }),
        tokens.revoke(parent.id),
        leaseAccount(server, db, { token: parent.id, account: "b", ttl: 36_000 }),
        tokens.create(tokenGrant({ parent: parent.id }), "auth/token/create"),
      ];
      await Promise.allSettled(race);
      await clock.advance(31_000);
      expect(db.accounts.size).toBe(0);
      expect(await allPaths(storage, "")).toEqual(["token/salt"]);
      await server.close();
    }
  });

  test("that was begun is gone on with by another server", async () => {
    const { server, tokens, make, db, clock, open, storage } = await ready();
    await server.close();
    const parent = await make();
    const child = await make({ parent: parent.id });
    await leaseAccount({ ...server, leases: server.leases }, db, { token: child.id, account: "a", ttl: 36_000 });
    db.state = "hanging";
    void tokens.revoke(parent.id);
    await clock.advance(100);
    db.state = "up";
    const next = await open();
    await clock.advance(31_000);
    expect(db.accounts.size).toBe(0);
    expect(await next.tokens.find(child.clientToken)).toBeUndefined();
    expect(await allPaths(storage, "")).toEqual(["token/salt"]);
    await next.close();
  });
});

test("tidying removes what names tokens that are not there", async () => {
  const { server, tokens, make, storage } = await ready();
  await make();
  await storage.commit([
    { op: "put", path: "token/accessor/left", value: Buffer.from("gone") },
    { op: "put", path: "token/parent/gone/child", value: Buffer.from("gone") },
  ]);
  expect([await tokens.tidy(), await tokens.tidy()]).toEqual([2, 0]);
  await server.close();
});
