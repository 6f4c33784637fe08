import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "@millwright/core/ports";
import { ConsulClient } from "@millwright/clients/consul";
import { systemClock } from "@millwright/core/ports";
import { afterEach, describe, expect, test } from "vitest";
import { budgetGate } from "./budget-gate.ts";
import { commandGate } from "./command-gate.ts";
import { conditionGate } from "./condition-gate.ts";
import { decide, gravest } from "./decide.ts";
import type { Decision, Gate, GateView } from "./gate.ts";
import { httpGate, type HttpProbe } from "./http-gate.ts";
import { serviceGate } from "./service-gate.ts";
import { Steady } from "./steady.ts";

const signal = new AbortController().signal;
const at0: GateView = {
  wave: 1,
  waves: 3,
  changed: [],
  failed: [],
  conditions: [],
  began: 0,
  waveEnded: 0,
  now: 0,
};

/** A clock that stands still, but for those who sleep on it. */
function sleepersClock(): Clock {
  let now = 0;
  return { now: () => now, monotonic: () => now, sleep: async (milliseconds) => void (now += milliseconds) };
}

const gate = (name: string, ...decisions: readonly Decision[]): Gate => {
  let next = 0;
  return { name, decide: async () => decisions[Math.min(next++, decisions.length - 1)]! };
};
const go: Decision = { kind: "go", because: "fine" };
const wait = (milliseconds: number): Decision => ({ kind: "wait", because: "not yet", milliseconds });

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function answering(
  answer: (path: string) => { readonly status?: number; readonly body?: string },
): Promise<string> {
  const server = createServer((request, reply) => {
    const { status = 200, body = "" } = answer(request.url ?? "");
    reply.writeHead(status).end(body);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("several gates together", () => {
  const cases: readonly { name: string; input: readonly Decision[]; want: Decision["kind"] }[] = [
    { name: "none is go", input: [], want: "go" },
    { name: "go and go is go", input: [go, go], want: "go" },
    { name: "one that waits has all wait", input: [go, wait(1)], want: "wait" },
    { name: "stop is graver than wait", input: [wait(9), { kind: "stop", because: "no" }], want: "stop" },
    {
      name: "back is graver than stop",
      input: [
        { kind: "back", because: "bad" },
        { kind: "stop", because: "no" },
      ],
      want: "back",
    },
  ];
  for (const { name, input, want } of cases)
    test(name, () => expect(gravest(input.map((decision) => ({ gate: "a", decision }))).decision.kind).toBe(want));

  test("gates are asked again until all say go", async () => {
    const waited: string[] = [];
    const options = { clock: sleepersClock(), signal, patience: 60_000 };
    const onWait = ({ gate }: { readonly gate: string }) => void waited.push(gate);
    const gates = [gate("slow", wait(1_000), wait(1_000), go), gate("quick", go)];
    expect(await decide(gates, at0, { ...options, onWait })).toMatchObject({ decision: { kind: "go" } });
    expect(waited).toEqual(["slow", "slow"]);
  });

  test("one that waits for ever stops the run, and says what for", async () => {
    const decided = await decide([gate("never", wait(5_000))], at0, {
      clock: sleepersClock(),
      signal,
      patience: 20_000,
    });
    expect(decided).toMatchObject({ gate: "never", decision: { kind: "stop" } });
    expect(decided.decision.because).toContain("not yet; that was so for as long as could be waited");
  });

  test("one that breaks is taken for stop", async () => {
    const broken: Gate = { name: "broken", decide: () => Promise.reject(new Error("fell off")) };
    const decided = await decide([broken], at0, { clock: systemClock, signal, patience: 0 });
    expect(decided).toEqual({ gate: "broken", decision: { kind: "stop", because: "fell off" } });
  });

  test("what is said stands on one line, and commands no terminal", async () => {
    const said = gate("loud", { kind: "stop", because: "it said\r\n\u001b[2Jno" });
    const { decision } = await decide([said], at0, { clock: systemClock, signal, patience: 0 });
    expect(decision.because).toBe("it said [2Jno");
  });

  test("a clock that is set meanwhile makes nothing hold longer", async () => {
    const clock = sleepersClock();
    const seen: number[] = [];
    const looking: Gate = {
      name: "looking",
      decide: async (view) => {
        seen.push(view.now);
        return seen.length < 3 ? wait(100) : go;
      },
    };
    // Each look at the wall clock finds it an hour ahead.
    let hours = 0;
    const set = { ...clock, now: () => 3_600_000 * hours++ };
    await decide([looking], at0, { clock: set, signal, patience: 1_000 });
    expect(seen).toEqual([0, 100, 200]);
  });

  test("an interrupt ends the question", async () => {
    const stop = new AbortController();
    const asked = decide([gate("never", wait(60_000))], at0, {
      clock: systemClock,
      signal: stop.signal,
      patience: 1e9,
    });
    stop.abort(new Error("interrupted"));
    await expect(asked).rejects.toThrow("interrupted");
  });
});

describe("what a probe finds becomes a decision", () => {
  const settings = { holds: 10_000, grace: 5_000, interval: 1_000, refusal: "back" } as const;
  test("good for long enough is go; bad in between begins anew; bad for too long refuses", () => {
    const steady = new Steady(settings);
    const look = (now: number, good: boolean, wave = 1) =>
      steady.decide({ good, what: good ? "up" : "down" }, { wave, waveEnded: 0, now }).kind;
    expect([look(0, false), look(1_000, true), look(4_000, false), look(4_500, true), look(10_000, true)]).toEqual([
      "wait",
      "wait",
      "wait",
      "wait",
      "wait",
    ]);
    expect(look(14_500, true)).toBe("go");
    expect(look(14_600, true, 2)).toBe("wait");
    expect(look(15_000, false, 2)).toBe("back");
  });
});

const probe = (url: string): HttpProbe => ({ url, method: "GET", headers: {}, statuses: [200, 299], timeout: 1_000 });
const atOnce = { holds: 0, grace: 0, interval: 10, refusal: "stop" } as const;

describe("an address", () => {
  test.each([
    { name: "that answers well is go", status: 204, want: "go", because: "answered 204" },
    { name: "that answers badly refuses", status: 500, want: "stop", because: "answered 500" },
  ])("$name", async ({ status, want, because }) => {
    const url = await answering(() => ({ status }));
    const decision = await httpGate("front", probe(`${url}/health`), atOnce).decide(at0, signal);
    expect(decision).toEqual({ kind: want, because: `${url}/health ${because}` });
  });

  test("without the words that its answer must have refuses", async () => {
    const url = await answering(() => ({ body: "starting" }));
    const decision = await httpGate("front", { ...probe(url), contains: "ready" }, atOnce).decide(at0, signal);
    expect(decision).toMatchObject({ kind: "stop", because: expect.stringContaining('without "ready"') });
  });

  test("where nothing listens refuses", async () => {
    const decision = await httpGate("front", probe("http://127.0.0.1:1/"), atOnce).decide(at0, signal);
    expect(decision).toMatchObject({ kind: "stop", because: expect.stringContaining("did not answer") });
  });
});

describe("a command", () => {
  const run = (command: readonly [string, ...string[]], timeout = 5_000) =>
    commandGate("smoke", { command, folder: "/", env: { PATH: process.env.PATH ?? "" }, timeout }, atOnce).decide(
      at0,
      signal,
    );
  test("that ends with 0 is go, and knows which wave it was", async () => {
    expect(await run(["sh", "-c", "echo wave $MILLWRIGHT_WAVE of $MILLWRIGHT_WAVES"])).toEqual({
      kind: "go",
      because: "sh ended with 0: wave 1 of 3",
    });
  });
  test("that fails refuses with its last line", async () => {
    expect(await run(["sh", "-c", "echo first; echo it is broken >&2; exit 3"])).toEqual({
      kind: "stop",
      because: "sh ended with 3: it is broken",
    });
  });
  test("that takes too long refuses", async () => {
    expect(await run(["sleep", "30"], 100)).toEqual({ kind: "stop", because: "sleep took more than 0.1 s" });
  });
  test("that is not there stops", async () => {
    const missing = commandGate("smoke", { command: ["/no/such"], folder: "/", env: {}, timeout: 1_000 }, atOnce);
    const decided = await decide([missing], at0, { clock: systemClock, signal, patience: 0 });
    expect(decided.decision).toMatchObject({ kind: "stop", because: expect.stringContaining("/no/such") });
  });
});

describe("a service in discovery", () => {
  const instance = (status: string) => ({ checks: [{ status }] });
  const look = (statuses: readonly string[], least: number, mostUnhealthy: number) => {
    const health = { service: async () => ({ value: statuses.map(instance) }) };
    const client = { health } as unknown as Parameters<typeof serviceGate>[1];
    return serviceGate("web", client, { service: "web", least, mostUnhealthy }, atOnce).decide(at0, signal);
  };
  test.each([
    { statuses: ["passing", "passing"], want: "go" },
    { statuses: ["passing", "critical"], want: "stop" },
    { statuses: ["passing", "passing", "warning"], want: "stop" },
  ])("$statuses is $want where two are wanted", async ({ statuses, want }) => {
    expect((await look(statuses, 2, 0)).kind).toBe(want);
  });

  test.each([
    { name: "is refused", status: 403, body: "internal words", want: "its status was 403" },
    { name: "is asked at an address of something else", status: 200, body: "internal words", want: "is not Consul's" },
    { name: "is answered without an end", status: 200, body: " ".repeat(100_000), want: "is not Consul's" },
  ])("that $name is told of without what was answered", async ({ status, body, want }) => {
    const url = new URL(await answering(() => ({ status, body })));
    const client = new ConsulClient({ address: url.origin }, { mostBytes: 50_000 });
    const service = { service: "web", least: 1, mostUnhealthy: 0 };
    const { because } = await serviceGate("web", client, service, atOnce).decide(at0, signal);
    expect(because).toContain(want);
    expect(because).not.toContain("internal");
    await client.close();
  });
});

describe("conditions of the change itself", () => {
  const of = (conditions: GateView["conditions"], failed: readonly string[] = []) =>
    conditionGate("checks", "back").decide({ ...at0, conditions, failed }, signal);
  test("that all hold are go", async () => {
    expect((await of([{ name: "check.a", status: "pass", problems: [] }])).kind).toBe("go");
  });
  test("one that does not hold refuses in its words", async () => {
    expect(await of([{ name: "check.a", status: "fail", problems: ["too hot"] }])).toEqual({
      kind: "back",
      because: "check.a: too hot",
    });
  });
  test("a change that failed refuses", async () => {
    expect((await of([], ["thing.a", "thing.b", "thing.c"])).because).toBe("thing.a and 2 others could not be changed");
  });
});

describe("an error budget", () => {
  const budget = { objective: 0.99, window: 60_000, most: 1, refusal: "stop" } as const;
  const asking = async (body: string, status = 200) => {
    const address = await answering((path) => {
      expect(new URL(path, "http://x").searchParams.get("query")).toBe("good / all");
      return { status, body };
    });
    const query = { address, query: "good / all", timeout: 1_000 };
    return budgetGate("slo", budget, { kind: "prometheus", query }, systemClock).decide(at0, signal);
  };
  const vector = (...values: readonly string[]) =>
    JSON.stringify({
      status: "success",
      data: { resultType: "vector", result: values.map((value) => ({ metric: {}, value: [1, value] })) },
    });
  test.each([
    {
      name: "half spent is go",
      body: vector("0.995"),
      want: "go",
      because: "50 % of the error budget is spent (99.5 % good",
    },
    { name: "spent refuses", body: vector("0.98"), want: "stop", because: "200 % of the error budget" },
    { name: "nothing to count stops", body: vector("NaN"), want: "stop", because: "no number" },
    { name: "no series stops", body: vector(), want: "stop", because: "0 values, where one is wanted" },
    {
      name: "a scalar counts too",
      body: JSON.stringify({ status: "success", data: { resultType: "scalar", result: [1, "1"] } }),
      want: "go",
      because: "0 % of",
    },
    {
      name: "a query that is wrong stops",
      body: '{"status":"error","error":"parse error"}',
      want: "stop",
      because: "parse error",
    },
  ])("$name", async ({ body, want, because }) => {
    expect(await asking(body)).toMatchObject({ kind: want, because: expect.stringContaining(because) });
  });

  test("by looking at an address all the time: what was bad in the window counts", async () => {
    let status = 200;
    const url = await answering(() => ({ status }));
    const source = { kind: "probe", probe: probe(url), interval: 5 } as const;
    const gate = budgetGate("slo", { ...budget, objective: 0.9 }, source, systemClock);
    expect((await gate.decide(at0, signal)).kind).toBe("wait");
    const over = new AbortController();
    const watching = gate.watch?.(over.signal);
    await expect.poll(async () => (await gate.decide(at0, signal)).kind).toBe("go");
    status = 503;
    await expect.poll(async () => (await gate.decide(at0, signal)).kind).toBe("stop");
    over.abort();
    await watching;
  });

  test("looks at an address as long as it likes without keeping each look", async () => {
    const url = await answering(() => ({ status: 200 }));
    const source = { kind: "probe", probe: probe(url), interval: 0 } as const;
    const over = new AbortController();
    let looks = 0;
    const clock: Clock = {
      ...systemClock,
      now: () => (looks++, 0),
      sleep: async () => void (looks === 50 && over.abort()),
    };
    const gate = budgetGate("slo", budget, source, clock);
    await gate.watch?.(over.signal);
    expect((await gate.decide(at0, signal)).because).toContain("by 50 looks");
  });
});

test("an address is told without its login and its query, which may be secret", async () => {
  const address = new URL(await answering(() => ({ status: 500 })));
  [address.username, address.password, address.search] = ["me", "s3cret-login", "?token=s3cret-token"];
  const probe: HttpProbe = { url: address.href, method: "GET", headers: {}, statuses: [200, 200], timeout: 1_000 };
  const steadiness = { holds: 0, grace: 60_000, interval: 1, refusal: "stop" } as const;
  const budget = { objective: 0.9, window: 60_000, most: 1, refusal: "stop" } as const;
  const query = { address: address.href, query: "up", timeout: 1_000 };
  const gates = [
    httpGate("page", probe, steadiness),
    budgetGate("budget", budget, { kind: "prometheus", query }, systemClock),
    budgetGate("looks", budget, { kind: "probe", probe, interval: 1_000 }, systemClock),
  ];
  for (const one of gates) {
    const { because } = await one.decide(at0, signal);
    expect(because).toContain(address.host);
    expect(because).not.toContain("s3cret");
  }
});
