import fc from "fast-check";
import { expect, test } from "vitest";
import { quiet } from "../../test/fake-clock.ts";
import { idOf, leaseAccount, lifetimesBench, neverLead, tokenGrant } from "../../test/lifetimes.ts";
import type { TokenId } from "../engine.ts";
import { allPaths } from "../storage.ts";
import type { Lifetimes } from "./open.ts";

type Step =
  | { readonly do: "token"; readonly ttl: number; readonly parent: number }
  | { readonly do: "grant"; readonly token: number; readonly ttl: number; readonly maxTtl: number }
  | { readonly do: "renew"; readonly lease: number; readonly increment: number }
  | { readonly do: "renew-token"; readonly token: number; readonly increment: number }
  | { readonly do: "revoke" | "revoke-token"; readonly which: number }
  | { readonly do: "advance"; readonly seconds: number }
  | { readonly do: "break" | "mend" | "restart" | "kill" };

const index = fc.nat(30);
const ttl = fc.integer({ min: 1, max: 3600 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("token" as const), ttl, parent: index }),
  fc.record({ do: fc.constant("grant" as const), token: index, ttl, maxTtl: fc.oneof(fc.constant(0), ttl) }),
  fc.record({ do: fc.constant("grant" as const), token: index, ttl, maxTtl: fc.constant(0) }),
  fc.record({ do: fc.constant("renew" as const), lease: index, increment: fc.oneof(fc.constant(0), ttl) }),
  fc.record({ do: fc.constant("renew-token" as const), token: index, increment: ttl }),
  fc.record({ do: fc.constantFrom("revoke" as const, "revoke-token" as const), which: index }),
  fc.record({ do: fc.constant("advance" as const), seconds: fc.integer({ min: 1, max: 700 }) }),
  fc.record({ do: fc.constantFrom("break" as const, "mend" as const, "restart" as const, "kill" as const) }),
);

interface ModelToken {
  readonly id: TokenId;
  readonly clientToken: string;
  readonly created: number;
  readonly parent: ModelToken | undefined;
  expires: number;
  isRevoked: boolean;
}

interface ModelLease {
  readonly id: string;
  readonly account: string;
  readonly token: ModelToken;
  readonly issued: number;
  readonly ttl: number;
  readonly maxTtl: number;
  expires: number;
  isRevoked: boolean;
  /** When it was first seen to have ended. */
  ended?: number;
}

/** What tokens and leases are, told as plainly as it can be. */
class Model {
  readonly tokens: ModelToken[] = [];
  readonly leases: ModelLease[] = [];

  tokenLives(token: ModelToken | undefined, now: number): boolean {
    if (!token) return true;
    return !token.isRevoked && token.expires > now && this.tokenLives(token.parent, now);
  }

  leaseLives(lease: ModelLease, now: number): boolean {
    return !lease.isRevoked && lease.expires > now && this.tokenLives(lease.token, now);
  }

  /** What ended once stays so, also where the one that it ended with would be extended later. */
  settle(now: number): void {
    for (const token of this.tokens) if (!this.tokenLives(token, now)) token.isRevoked = true;
    for (const lease of this.leases) {
      if (this.leaseLives(lease, now)) continue;
      lease.isRevoked = true;
      lease.ended ??= now;
    }
  }
}

/** The longest pause between two attempts, with its half above, and a little. */
const longestDelay = 8 * 60_000;

function pick<T>(items: readonly T[], i: number): T | undefined {
  return items[i % Math.max(1, items.length)];
}

async function play(steps: readonly Step[], seed: number): Promise<void> {
  const { clock, storage, db, open } = lifetimesBench(seed);
  const model = new Model();
  let mended = clock.now();
  let server = await open();
  let bystander = await open(neverLead);
  const servers = (i: number): Lifetimes => (i % 2 === 0 ? server : bystander);
  const perform = async (current: Step, i: number): Promise<void> => {
    const { tokens, leases } = servers(i);
    const now = clock.now();
    switch (current.do) {
      case "token": {
        const parent = current.parent % 2 === 0 ? pick(model.tokens, current.parent) : undefined;
        const grant = tokenGrant({ ttl: current.ttl, ...(parent ? { parent: parent.id } : {}) });
        const lives = model.tokenLives(parent, now);
        const made = await tokens.create(grant, "auth/token/create").catch(() => undefined);
        // A parent whose time has just come may still be there: the child then ends with it.
        if (lives) expect(made).toBeDefined();
        if (!made || !lives) return;
        const id = await idOf(servers(i), made.clientToken);
        const expires = now + current.ttl * 1000;
        model.tokens.push({ id, clientToken: made.clientToken, created: now, parent, expires, isRevoked: false });
        return;
      }
      case "grant": {
        const token = pick(model.tokens, current.token);
        if (!token) return;
        const account = `account-${i}`;
        const ask = { token: token.id, account, ttl: current.ttl, maxTtl: current.maxTtl };
        const lives = model.tokenLives(token, now);
        const made = await leaseAccount(servers(i), db, ask).catch(() => undefined);
        if (lives) expect(made).toBeDefined();
        if (!made || !lives) return;
        const maxTtl = current.maxTtl || 24 * 3600;
        const seconds = Math.min(current.ttl, maxTtl);
        const expires = now + seconds * 1000;
        model.leases.push({
          ...{ id: made.id, account, token, issued: now, ttl: seconds, maxTtl, expires, isRevoked: false },
        });
        return;
      }
      case "renew": {
        const lease = pick(model.leases, current.lease);
        if (!lease) return;
        const lives = model.leaseLives(lease, now);
        const renewed = await leases.renew(lease.id, current.increment).catch(() => undefined);
        if (!lives || db.state === "down") return;
        expect(renewed).toBeDefined();
        const wanted = now + (current.increment || lease.ttl) * 1000;
        lease.expires = Math.min(wanted, lease.issued + lease.maxTtl * 1000);
        return;
      }
      case "renew-token": {
        const token = pick(model.tokens, current.token);
        if (!token || !model.tokenLives(token, now)) return;
        await tokens.renew(token.id, current.increment);
        token.expires = Math.min(now + current.increment * 1000, token.created + 24 * 3600 * 1000);
        return;
      }
      case "revoke": {
        const lease = pick(model.leases, current.which);
        if (!lease) return;
        lease.isRevoked = true;
        const outcome = await leases.revoke(lease.id).then(
          () => "gone",
          () => "failed",
        );
        expect(outcome === "gone" || db.state === "down").toBe(true);
        return;
      }
      case "revoke-token": {
        const token = pick(model.tokens, current.which);
        if (!token) return;
        const before = model.leases.filter((lease) => model.leaseLives(lease, now));
        token.isRevoked = true;
        await tokens.revoke(token.id);
        const ended = before.filter((lease) => !model.leaseLives(lease, now)).map(({ account }) => account);
        if (db.state === "up") expect(ended.filter((account) => db.accounts.has(account))).toEqual([]);
        expect(await tokens.use(token.clientToken)).toBeUndefined();
        return;
      }
      case "advance":
        await clock.advance(current.seconds * 1000);
        return;
      case "break":
        db.state = "down";
        return;
      case "mend":
        if (db.state === "down") mended = clock.now();
        db.state = "up";
        return;
      case "restart":
        await server.close();
        server = await open();
        return;
      case "kill":
        // What it was doing goes on for a moment beside the one that takes its place, as after a lost leadership.
        void server.close();
        server = await open();
        await bystander.close();
        bystander = await open(neverLead);
    }
  };
  for (const [i, current] of steps.entries()) {
    await perform(current, i);
    await quiet();
    model.settle(clock.now());
    for (const lease of model.leases) {
      const isLate = db.state === "up" && clock.now() > Math.max(mended, lease.ended ?? clock.now()) + longestDelay;
      if (isLate) expect([i, lease.account, db.accounts.has(lease.account)]).toEqual([i, lease.account, false]);
      if (!lease.isRevoked)
        expect([i, lease.account, db.accounts.has(lease.account)]).toEqual([i, lease.account, true]);
    }
    for (const token of model.tokens) {
      const used = await servers(i).tokens.use(token.clientToken);
      if (model.tokenLives(token, clock.now())) expect(used).toBeDefined();
      else if (token.expires <= clock.now()) expect(used).toBeUndefined();
    }
  }
  db.state = "up";
  await clock.advance(2 * 3600 * 1000);
  expect([...db.accounts.keys()]).toEqual([]);
  expect(await allPaths(storage, "")).toEqual(["token/salt"]);
  await server.close();
  await bystander.close();
}

test("nothing is left and nothing ends early, whatever is done in whichever order", async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), fc.nat(), play), {
    numRuns: 30,
    seed: 20261121,
  });
}, 120_000);
