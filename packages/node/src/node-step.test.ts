import type { NodeService } from "@millwright/clients/consul-catalog";
import type { HealthCheck } from "@millwright/clients/consul-health";
import { describe, expect, test } from "vitest";
import { type CheckDefinition, parseCheck } from "./check-definition.ts";
import { emptyState, type NodeState } from "./node-state.ts";
import { type NodeEvent, step } from "./node-step.ts";
import { pendingWork } from "./pending-work.ts";
import { parseService, type ServiceDefinition } from "./service-definition.ts";

const origin = { from: "api", token: "" } as const;
const service = (name: string, rest: object = {}): ServiceDefinition => parseService({ Name: name, ...rest }).service;
const check = (id: string, serviceId = ""): CheckDefinition =>
  parseCheck({ Name: id, TTL: "1m" }, { serviceId, id, name: id });

const registered = (name: string, checks: CheckDefinition[] = [], rest: object = {}): NodeEvent => ({
  kind: "service-registered",
  service: service(name, rest),
  checks,
  origin,
  replaceChecks: false,
});
const result = (id: string, status: "passing" | "critical", output: string, now = 1_000): NodeEvent => ({
  kind: "check-result",
  id,
  status,
  output,
  now,
  deferUntil: now + 5_000,
});

function run(events: readonly NodeEvent[], from: NodeState = emptyState): NodeState {
  return events.reduce(step, from);
}

/** The state after all that is pending has been sent. */
function sent(state: NodeState): NodeState {
  return step(state, { kind: "sent", services: [...state.services.values()], checks: [...state.checks.values()] });
}

const syncs = (state: NodeState) => [...state.services, ...state.checks].map(([id, { sync }]) => `${id} ${sync.kind}`);

describe("what has to be sent", () => {
  const base = sent(run([registered("web", [check("c", "web")])]));
  const cases: { name: string; events: NodeEvent[]; want: string[] }[] = [
    { name: "nothing after all was sent", events: [], want: ["web synced", "c synced"] },
    { name: "a status at once", events: [result("c", "passing", "ok")], want: ["web synced", "c changed"] },
    { name: "an output alone later", events: [result("c", "critical", "more")], want: ["web synced", "c deferred"] },
    {
      name: "a status at once, also after an output",
      events: [result("c", "critical", "more"), result("c", "passing", "more")],
      want: ["web synced", "c changed"],
    },
    {
      name: "nothing for the same registration again",
      events: [registered("web", [check("c", "web")])],
      want: ["web synced", "c synced"],
    },
    { name: "a changed service", events: [registered("web", [], { Port: 1 })], want: ["web changed", "c synced"] },
  ];
  test.each(cases)("is $name", ({ events, want }) => {
    expect(syncs(run(events, base))).toEqual(want);
  });

  test("what changed while it was sent stays to be sent", () => {
    const before = run([registered("web", [check("c", "web")])]);
    const after = run([result("c", "passing", "ok"), registered("web", [], { Port: 1 })], before);
    const services = [...before.services.values()];
    const checks = [...before.checks.values()];
    expect(syncs(step(after, { kind: "sent", services, checks }))).toEqual(["web changed", "c changed"]);
  });

  test("a check with another token than its service goes by itself", () => {
    const other: NodeEvent = {
      kind: "check-registered",
      check: check("c", "web"),
      origin: { from: "api", token: "t" },
    };
    const work = pendingWork(run([registered("web"), other]), 0);
    expect(work.services[0]?.checks).toEqual([]);
    expect(work.checkGroups.flat().map(({ definition }) => definition.id)).toEqual(["c"]);
  });

  test("a removed service takes its checks with it, and is removed from the catalog alone", () => {
    const state = run([{ kind: "service-deregistered", id: "web" }], base);
    expect(state.checks.size).toBe(0);
    expect(pendingWork(state, 0)).toMatchObject({ removedServices: ["web"], removedChecks: [] });
    expect(pendingWork(step(state, { kind: "removed-sent", service: "web" }), 0).removedServices).toEqual([]);
    expect(pendingWork(step(state, registered("web")), 0).removedServices).toEqual([]);
  });

  test("a service goes with its checks, other checks in groups of a hundred of one token", () => {
    const checks = Array.from({ length: 150 }, (_, i) => check(`c${i}`));
    const events = checks.map((one): NodeEvent => ({ kind: "check-registered", check: one, origin }));
    const other: NodeEvent = { kind: "check-registered", check: check("own"), origin: { from: "api", token: "t" } };
    const work = pendingWork(run([registered("web", [check("w", "web")]), ...events, other]), 0);
    expect(work.services[0]?.checks.map(({ definition }) => definition.id)).toEqual(["w"]);
    expect(work.checkGroups.map((group) => group.length)).toEqual([100, 50, 1]);
  });

  test("what waits is due when its time has come", () => {
    const state = run([result("c", "critical", "more", 1_000)], base);
    expect(pendingWork(state, 5_999)).toMatchObject({ checkGroups: [], nextAt: 6_000 });
    expect(pendingWork(state, 6_000).checkGroups.length).toBe(1);
  });
});

describe("compared with the catalog", () => {
  const known = (name: string, rest: Partial<NodeService> = {}): NodeService => ({
    id: name,
    service: name,
    tags: [],
    socketPath: "",
    address: "",
    port: 0,
    meta: {},
    taggedAddresses: {},
    weights: { passing: 1, warning: 1 },
    enableTagOverride: false,
    createIndex: 1,
    modifyIndex: 1,
    ...rest,
  });
  const knownCheck = (checkId: string, rest: Partial<HealthCheck> = {}): HealthCheck => ({
    node: "n",
    checkId,
    name: checkId,
    status: "critical",
    notes: "",
    output: "",
    serviceId: "",
    serviceName: "",
    serviceTags: [],
    type: "ttl",
    createIndex: 1,
    modifyIndex: 1,
    ...rest,
  });
  const read = (services: NodeService[], checks: HealthCheck[] = []): NodeEvent => ({
    kind: "catalog-read",
    catalog: { node: undefined, services, checks },
  });
  const local = run([registered("web", [check("c", "web")], { Tags: ["a"] })]);
  const cases: { name: string; event: NodeEvent; want: string[] }[] = [
    {
      name: "what is alike is synced",
      event: read([known("web", { tags: ["a"] })], [knownCheck("c", { serviceId: "web" })]),
      want: ["web synced", "c synced"],
    },
    { name: "what is missing is changed", event: read([]), want: ["web changed", "c changed"] },
    {
      name: "what others changed is changed back",
      event: read([known("web", { tags: ["b"] })], [knownCheck("c", { serviceId: "web", status: "passing" })]),
      want: ["web changed", "c changed"],
    },
  ];
  test.each(cases)("$name", ({ event, want }) => {
    expect(syncs(step(local, event))).toEqual(want);
  });

  test("an output that waits goes on waiting", () => {
    const waiting = step(sent(local), result("c", "critical", "more"));
    const catalog = read([known("web", { tags: ["a"] })], [knownCheck("c", { serviceId: "web" })]);
    expect(syncs(step(waiting, catalog))).toEqual(["web synced", "c deferred"]);
  });

  test("the tags of a service that others may tag are taken over", () => {
    const mine = run([registered("web", [], { Tags: ["a"], EnableTagOverride: true })]);
    const after = step(mine, read([known("web", { tags: ["theirs"], enableTagOverride: true })]));
    expect(after.services.get("web")).toMatchObject({ definition: { tags: ["theirs"] }, sync: { kind: "synced" } });
  });

  test("what the node does not know is removed, but not its liveness", () => {
    const after = step(
      emptyState,
      read([known("zombie")], [knownCheck("z", { serviceId: "zombie" }), knownCheck("serfHealth"), knownCheck("s")]),
    );
    expect(pendingWork(after, 0)).toMatchObject({ removedServices: ["zombie"], removedChecks: ["s"] });
  });
});

describe("results", () => {
  test("how long a check is critical counts from the first of its critical results", () => {
    const since = (events: NodeEvent[]) =>
      run([registered("web", [check("c", "web")]), ...events]).checks.get("c")?.criticalSince;
    expect(since([result("c", "critical", "a", 10), result("c", "critical", "b", 20)])).toBe(10);
    expect(since([result("c", "critical", "a", 10), result("c", "passing", "b", 20)])).toBeUndefined();
    expect(
      since([result("c", "critical", "a", 10), result("c", "passing", "b", 20), result("c", "critical", "a", 30)]),
    ).toBe(30);
  });

  test("of a check that is not there are left alone", () => {
    expect(step(emptyState, result("none", "passing", ""))).toBe(emptyState);
  });
});
