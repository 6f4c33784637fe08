import type { Clock } from "@millwright/core/ports";
import { silentLog, systemClock } from "@millwright/core/ports";
import { Projection, rebuildState } from "@millwright/records/projection";
import { topicOf } from "@millwright/records/table";
import { openMemoryStore } from "@millwright/store/memory";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { noJitter, openTestServer, sleep, type TestServer } from "../test/harness.ts";
import { checkLists, serviceLists } from "./catalog-records.ts";
import { catalogTopics } from "./catalog-topics.ts";
import { schema } from "./schema.ts";
import type { DiscoveryState } from "./state.ts";

const nodes = ["n1", "N2", "n/3"];
const services = ["web", "db"];
const serviceIds = ["web", "db", "x"];
const checkIds = ["serfHealth", "c1", "c2"];

const questions = [
  "GET /v1/catalog/nodes",
  "GET /v1/catalog/nodes?node-meta=m:1",
  "GET /v1/catalog/services",
  "GET /v1/catalog/services?node-meta=m:1",
  ...services.flatMap((name) => [
    `GET /v1/catalog/service/${name}`,
    `GET /v1/health/service/${name}`,
    `GET /v1/health/service/${name}?passing`,
    `GET /v1/health/checks/${name}`,
    `GET /v1/health/checks/${name}?node-meta=m:1`,
  ]),
  ...nodes.flatMap((name) => [
    `GET /v1/catalog/node/${encodeURIComponent(name)}`,
    `GET /v1/catalog/node-services/${encodeURIComponent(name)}`,
    `GET /v1/health/node/${encodeURIComponent(name)}`,
  ]),
  ...["any", "passing", "warning", "critical"].map((state) => `GET /v1/health/state/${state}`),
];

type Step =
  | { readonly do: "ask"; readonly line: string; readonly body: object }
  | { readonly do: "sweep" | "reopen" | "save" | "restore" };

const node = fc.constantFrom(...nodes);
const status = fc.constantFrom("passing", "warning", "critical");
const check = fc.record({
  CheckID: fc.constantFrom(...checkIds),
  ServiceID: fc.constantFrom("", ...serviceIds),
  Status: status,
});
const service = fc.record({
  ID: fc.constantFrom(...serviceIds),
  Service: fc.constantFrom(...services),
  Tags: fc.constantFrom([], ["a"]),
});

const ask = (line: string, body: fc.Arbitrary<object>): fc.Arbitrary<Step> =>
  body.map((sent) => ({ do: "ask" as const, line, body: sent }));

const registration = fc.record(
  {
    Node: node,
    Address: fc.constantFrom("1", "2"),
    ID: fc.constantFrom("", "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"),
    NodeMeta: fc.constantFrom({}, { m: "1" }),
    Service: service,
    Check: check,
  },
  { requiredKeys: ["Node", "Address"] },
);

const transaction = fc.array(
  fc.oneof(
    fc.record({ Node: fc.record({ Verb: fc.constantFrom("set", "delete"), Node: fc.record({ Node: node }) }) }),
    fc.record({ Service: fc.record({ Verb: fc.constantFrom("set", "delete"), Node: node, Service: service }) }),
    fc
      .record({ verb: fc.constantFrom("set", "delete"), node, check })
      .map(({ verb, node: name, check: sent }) => ({ Check: { Verb: verb, Check: { Node: name, ...sent } } })),
  ),
  { minLength: 1, maxLength: 4 },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: ask("PUT /v1/catalog/register", registration) },
  {
    weight: 4,
    arbitrary: ask(
      "PUT /v1/catalog/deregister",
      fc.record(
        { Node: node, ServiceID: fc.constantFrom(...serviceIds), CheckID: fc.constantFrom(...checkIds) },
        { requiredKeys: ["Node"] },
      ),
    ),
  },
  { weight: 4, arbitrary: ask("PUT /v1/txn", transaction) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("sweep" as const, "reopen" as const, "save" as const, "restore" as const),
    }),
  },
);

/** The highest index given out for each question: no answer may be below it, and a changed one must be above it. */
class Witness {
  readonly #seen = new Map<string, { readonly index: number; readonly text: string }>();

  async ask(server: TestServer): Promise<void> {
    for (const line of questions) {
      const reply = await server.ask(line);
      expect(reply.status).toBe(200);
      const index = Number(reply.headers["x-consul-index"]);
      // A restore gives every record a new index, with or without another content.
      const text = reply.text.replaceAll(/"(Create|Modify)Index":\d+/g, "");
      const before = this.#seen.get(line);
      if (before) {
        expect(index, `${line} does not go back`).toBeGreaterThanOrEqual(before.index);
        if (text !== before.text) expect(index, `${line} has changed`).toBeGreaterThan(before.index);
      }
      this.#seen.set(line, { index, text });
    }
  }
}

test("no index of the catalog ever goes back, every change raises it, and the state equals its rebuild", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const store = openMemoryStore();
      let hours = 0;
      const clock: Clock = { ...systemClock, now: () => Date.now() + hours * 3_600_000 };
      let server = await openTestServer(store, { clock });
      const follower = await Projection.open(schema, { store, clock, log: silentLog });
      let archive: Uint8Array | undefined;
      const witness = new Witness();
      await witness.ask(server);
      for (const taken of steps) {
        switch (taken.do) {
          case "ask":
            await server.ask(taken.line, JSON.stringify(taken.body));
            break;
          case "sweep":
            hours += 1;
            await server.discovery.sweep();
            break;
          case "reopen":
            await server.close();
            server = await openTestServer(store, { clock });
            break;
          case "save":
            archive = (await server.ask("GET /v1/snapshot")).bytes;
            break;
          case "restore":
            if (archive) expect((await server.ask("PUT /v1/snapshot", archive)).status).toBe(200);
            break;
        }
        await witness.ask(server);
        await follower.fresh();
        expect(described(follower.state)).toEqual(described((await rebuildState(schema, store)).state));
      }
      await follower.close();
      await server.close();
      await store.close();
    }),
    { numRuns: 100, seed: 20261121 },
  );
}, 180_000);

function described(state: DiscoveryState): object {
  const topics = [
    ...["node", "service", "check"].map((table) => topicOf(table)),
    ...nodes.flatMap((name) => [catalogTopics.node(name), topicOf("check", checkLists.on(name))]),
    ...services.flatMap((name) => [
      catalogTopics.service(name),
      catalogTopics.health(name),
      topicOf("check", checkLists.of(name)),
    ]),
    ...(["passing", "warning", "critical"] as const).map((name) => topicOf("check", checkLists.state(name))),
  ];
  return {
    floor: state.floor,
    rows: (["node", "service", "check"] as const).map((table) => [...state.rows(table)]),
    lists: services.map((name) => [...state.list("service", serviceLists.of(name))].map(({ key }) => key)),
    topics: topics.map((topic) => [topic, state.changedTopics([topic])]),
  };
}

describe("a blocked query wakes for what it asks, and for nothing else", () => {
  const before = [
    {
      Node: "n1",
      Address: "1",
      NodeMeta: { m: "1" },
      Service: { Service: "web" },
      Checks: [{ Name: "web", ServiceID: "web" }],
    },
    {
      Node: "n2",
      Address: "2",
      Service: { Service: "db" },
      Checks: [{ Name: "db", ServiceID: "db" }, { Name: "disk" }],
    },
  ];
  const dbCheck = { Node: "n2", Address: "2", Check: { Name: "db", ServiceID: "db", Status: "passing" } };
  const diskCheck = { Node: "n2", Address: "2", Check: { Name: "disk", Status: "passing" } };
  const dbPort = { Node: "n2", Address: "2", Service: { Service: "db", Port: 7 } };
  const dbToo = { Node: "n1", Address: "1", NodeMeta: { m: "1" }, Service: { Service: "db" } };
  const n2Moved = { Node: "n2", Address: "3" };
  const n3 = { Node: "n3", Address: "3" };
  const gone = { Node: "n2" };
  const cases: { line: string; not: object[]; wake: object[] }[] = [
    {
      line: "GET /v1/health/service/db",
      not: [n3, { Node: "n1", Address: "9" }, { Node: "n1", Address: "9", Service: { Service: "web", Port: 1 } }],
      wake: [dbCheck, diskCheck, dbPort, n2Moved, dbToo, gone],
    },
    { line: "GET /v1/catalog/service/db", not: [dbCheck, diskCheck, n3], wake: [dbPort, n2Moved, dbToo, gone] },
    { line: "GET /v1/health/checks/db", not: [diskCheck, dbPort, n2Moved, dbToo], wake: [dbCheck, gone] },
    { line: "GET /v1/health/node/n2", not: [dbPort, n2Moved, dbToo, n3], wake: [dbCheck, diskCheck, gone] },
    { line: "GET /v1/catalog/node/n2", not: [dbCheck, diskCheck, dbToo, n3], wake: [dbPort, n2Moved, gone] },
    { line: "GET /v1/catalog/nodes", not: [dbCheck, dbPort, dbToo], wake: [n2Moved, n3, gone] },
    { line: "GET /v1/catalog/services", not: [dbCheck, n2Moved, n3], wake: [dbPort, dbToo, gone] },
    { line: "GET /v1/health/state/passing", not: [dbPort, n2Moved, n3], wake: [dbCheck, diskCheck] },
    { line: "GET /v1/health/state/warning", not: [dbCheck, diskCheck, gone], wake: [] },
    { line: "GET /v1/health/service/none", not: [dbCheck, dbPort, dbToo, gone], wake: [] },
  ];
  const send = (server: TestServer, change: object) => {
    const line = Object.keys(change).length === 1 ? "PUT /v1/catalog/deregister" : "PUT /v1/catalog/register";
    return server.ask(line, JSON.stringify(change));
  };
  test.each(cases)("$line", async ({ line, not, wake }) => {
    for (const waking of wake.length > 0 ? wake : [undefined]) {
      const store = openMemoryStore();
      const server = await openTestServer(store, { chance: noJitter });
      for (const body of before) await send(server, body);
      const stop = new AbortController();
      let answered = false;
      const index = await server.index(line);
      const query = server.ask(`${line}${line.includes("?") ? "&" : "?"}index=${index}`, undefined, {
        signal: stop.signal,
      });
      void query.then(() => {
        answered = true;
      });
      for (const change of not) expect((await send(server, change)).text).toBe("true");
      await sleep(5);
      expect(answered, "sleeps").toBe(false);
      expect(await server.index(line), "its index stands").toBe(index);
      if (waking) await send(server, waking);
      else stop.abort();
      await query;
      if (waking) expect(await server.index(line)).toBeGreaterThan(index);
      await server.close();
      await store.close();
    }
  });
});
