import { createServer, type Server } from "node:http";
import { once } from "node:events";
import { type Clock, systemChance, systemClock } from "@millwright/core/ports";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConsulClient } from "./consul.ts";
import { acquireLock, lockFlag } from "./consul-lock.ts";
import { holdSession } from "./held-session.ts";
import { formatJson } from "./json.ts";

/** A server whose answers are set by what is asked: `PUT /v1/session/renew`. */
class ScriptedServer {
  readonly asked: string[] = [];
  readonly answers = new Map<string, { readonly status: number; readonly body: unknown; readonly index?: number }>();
  readonly #server: Server = createServer((request, response) => {
    const line = `${request.method} ${request.url?.split("?")[0]}`;
    this.asked.push(line);
    const found = [...this.answers].find(([start]) => line.startsWith(start));
    const { status, body, index = 1 } = found?.[1] ?? { status: 404, body: "unknown" };
    response.writeHead(status, { "x-consul-index": String(index) }).end(formatJson(body));
  });

  async start(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const bound = this.#server.address();
    return `127.0.0.1:${typeof bound === "object" ? bound?.port : 0}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

let server: ScriptedServer;
let client: ConsulClient;
beforeEach(async () => {
  server = new ScriptedServer();
  client = new ConsulClient({ address: await server.start() }, { attempts: 1, chance: systemChance });
  server.answers.set("PUT /v1/session/create", { status: 200, body: { ID: "s" } });
  server.answers.set("PUT /v1/session/destroy", { status: 200, body: true });
  server.answers.set("PUT /v1/session/renew", { status: 200, body: [{ ID: "s" }] });
});
afterEach(async () => {
  await client.close();
  server.close();
});

/** A clock on which every pause is over in two milliseconds, and time goes on by what was to be waited. */
function quickClock(): Clock {
  let now = 0;
  return {
    ...systemClock,
    monotonic: () => now,
    sleep: async (milliseconds, signal) => {
      await systemClock.sleep(2, signal);
      now += milliseconds;
    },
  };
}

const reasonOf = (signal: AbortSignal) =>
  new Promise<string>((resolve) => {
    signal.addEventListener("abort", () => resolve(String(signal.reason)), { once: true });
  });

describe("a session that is held", () => {
  test("is renewed until it is ended, and destroyed then", async () => {
    const session = await holdSession(client, { clock: quickClock() });
    await systemClock.sleep(50);
    await session.end();
    const renewals = server.asked.filter((line) => line === "PUT /v1/session/renew/s").length;
    expect(renewals).toBeGreaterThan(2);
    expect(server.asked.at(-1)).toBe("PUT /v1/session/destroy/s");
    await systemClock.sleep(20);
    expect(server.asked.filter((line) => line === "PUT /v1/session/renew/s")).toHaveLength(renewals);
    expect(session.ended.aborted).toBe(false);
  });

  test("says so when the server has ended it", async () => {
    const session = await holdSession(client, { clock: quickClock() });
    const why = reasonOf(session.ended);
    server.answers.set("PUT /v1/session/renew", { status: 404, body: "not found" });
    expect(await why).toBe("Error: the session s has ended");
    await session.end();
  });

  test("may have ended when it could not be renewed for its time to live", async () => {
    const session = await holdSession(client, { ttlSeconds: 10, clock: quickClock() });
    const why = reasonOf(session.ended);
    server.answers.set("PUT /v1/session/renew", { status: 500, body: "down" });
    expect(await why).toBe("Error: the session s could not be renewed for 10 s");
    await session.end();
  });

  test("outlives a server that is away for less", async () => {
    const session = await holdSession(client, { ttlSeconds: 60, clock: quickClock() });
    server.answers.set("PUT /v1/session/renew", { status: 500, body: "down" });
    await systemClock.sleep(30);
    server.answers.set("PUT /v1/session/renew", { status: 200, body: [{ ID: "s" }] });
    await systemClock.sleep(50);
    expect(session.ended.aborted).toBe(false);
    await session.end();
  });

  test("ends without complaint where the server is gone", async () => {
    const session = await holdSession(client);
    server.close();
    await session.end();
  });
});

test("a lock is taken for lost when it cannot be watched as often as was allowed", async () => {
  const entry = { Key: "k", Value: null, Flags: lockFlag, Session: "s", LockIndex: 1, CreateIndex: 1, ModifyIndex: 1 };
  server.answers.set("GET /v1/kv/k", { status: 200, body: [entry] });
  server.answers.set("PUT /v1/kv/k", { status: 200, body: true });
  const lock = await acquireLock(client, { key: "k", monitorRetries: 2, clock: quickClock() });
  const lost = reasonOf(lock!.lost);
  const before = server.asked.length;
  server.answers.set("GET /v1/kv/k", { status: 500, body: "down" });
  expect(await lost).toMatch(/^Error: it could not be watched: GET http:.* answered 500/);
  const reads = server.asked.slice(before).filter((line) => line === "GET /v1/kv/k");
  expect(reads.length).toBeGreaterThanOrEqual(3);
  await lock?.release();
});
