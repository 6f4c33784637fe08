import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RunningNode, runNode, until } from "../test/running-node.ts";

// A node that knows no server answers all of `/v1/agent` by itself.
let one: RunningNode;
beforeAll(async () => {
  one = await runNode();
});
afterAll(() => one.close());
beforeEach(async () => {
  for (const id of one.node.state.services.keys()) await one.ask(`PUT /v1/agent/service/deregister/${id}`);
  for (const id of one.node.state.checks.keys()) await one.ask(`PUT /v1/agent/check/deregister/${id}`);
});

const register = (body: unknown, query = "") => one.ask(`PUT /v1/agent/service/register${query}`, body);
const checkIds = () => [...one.node.state.checks.keys()];

describe("registering a service", () => {
  test("is shown with everything Consul shows", async () => {
    await register({ Name: "web", Tags: ["a"], Port: 80, Address: "10.0.0.1", Meta: { k: "v" } });
    expect((await one.ask("GET /v1/agent/services")).json).toEqual({
      web: {
        ID: "web",
        Service: "web",
        Tags: ["a"],
        Meta: { k: "v" },
        Port: 80,
        Address: "10.0.0.1",
        TaggedAddresses: {
          lan_ipv4: { Address: "10.0.0.1", Port: 80 },
          wan_ipv4: { Address: "10.0.0.1", Port: 80 },
        },
        Weights: { Passing: 1, Warning: 1 },
        EnableTagOverride: false,
        Datacenter: "dc1",
      },
    });
  });

  test("may be reached by a socket", async () => {
    await register({ Name: "web", SocketPath: "/run/web.sock" });
    expect((await one.ask("GET /v1/agent/service/web")).json).toMatchObject({ SocketPath: "/run/web.sock", Port: 0 });
  });

  test("names of fields are taken in snake_case too", async () => {
    const check = { http: "http://127.0.0.1:1/", interval: "5s", tls_skip_verify: true, failures_before_critical: 3 };
    await register({ id: "w1", name: "web", enable_tag_override: true, checks: [check] });
    expect(one.node.state.services.get("w1")?.definition.enableTagOverride).toBe(true);
    expect(one.node.state.checks.get("service:w1")?.definition).toMatchObject({
      probe: { kind: "http", interval: 5_000, tlsVerify: false },
      failuresBeforeCritical: 3,
    });
  });

  test("its checks are numbered where there are several", async () => {
    await register({ Name: "web", Checks: [{ TTL: "1m" }, { TTL: "1m", CheckID: "mine" }, { TTL: "1m" }] });
    expect(checkIds()).toEqual(["service:web:1", "mine", "service:web:3"]);
  });

  test("checks that are not named again stay, unless they are to be replaced", async () => {
    await register({ Name: "web", Check: { TTL: "1m", CheckID: "old" } });
    await register({ Name: "web", Check: { TTL: "1m", CheckID: "new" } });
    expect(checkIds()).toEqual(["old", "new"]);
    await register({ Name: "web", Check: { TTL: "1m", CheckID: "new" } }, "?replace-existing-checks=true");
    expect(checkIds()).toEqual(["new"]);
  });

  const mistakes: { name: string; body: unknown; want: string | RegExp }[] = [
    { name: "without a name", body: { Port: 1 }, want: "Missing service name" },
    { name: "at every address", body: { Name: "x", Address: "0.0.0.0" }, want: "Invalid service address" },
    { name: "with a port of text", body: { Name: "x", Port: "80" }, want: /Port is no whole number/ },
    {
      name: "with a check without times",
      body: { Name: "x", Check: { HTTP: "http://h/" } },
      want: "Invalid check: Interval must be > 0 for Script, HTTP, H2PING, TCP, UDP or OSService checks",
    },
    {
      name: "with a check of both kinds",
      body: { Name: "x", Check: { HTTP: "http://h/", Interval: "1s", TTL: "1s" } },
      want: "Invalid check: Interval and TTL cannot both be specified",
    },
    {
      name: "with a check without a TTL",
      body: { Name: "x", Check: { Name: "c" } },
      want: "Invalid check: TTL must be > 0 for TTL checks",
    },
    {
      name: "with a duration that is none",
      body: { Name: "x", Check: { TTL: "soon" } },
      want: /Invalid check: .*Invalid TTL: time: invalid duration "soon"/,
    },
    {
      name: "with a script, which may not be run here",
      body: { Name: "x", Check: { Args: ["true"], Interval: "1s" } },
      want: /^Scripts are disabled on this agent/,
    },
    {
      name: "with thresholds in the wrong order",
      body: { Name: "x", Check: { TTL: "1s", FailuresBeforeWarning: 3, FailuresBeforeCritical: 2 } },
      want: "Invalid check: FailuresBeforeWarning can't be higher than FailuresBeforeCritical",
    },
    {
      name: "with a check that nobody runs here",
      body: { Name: "x", Check: { GRPC: "127.0.0.1:1", Interval: "1s" } },
      want: /^Invalid check: GRPC checks are not run by this agent/,
    },
    {
      name: "with weights out of range",
      body: { Name: "x", Weights: { Passing: 0, Warning: 1 } },
      want: "Invalid Weights: Passing must be greater than 0",
    },
    { name: "in another form than JSON", body: undefined, want: /^Request decode failed: / },
  ];
  test.each(mistakes)("$name is refused", async ({ body, want }) => {
    const reply = await register(body);
    expect(reply.status).toBe(400);
    expect(reply.text).toEqual(want instanceof RegExp ? expect.stringMatching(want) : want);
    expect(one.node.state.services.size).toBe(0);
  });

  test("a service that is not there cannot be deregistered", async () => {
    const reply = await one.ask("PUT /v1/agent/service/deregister/none");
    expect([reply.status, reply.text]).toEqual([
      404,
      'Unknown service ID "none". Ensure that the service ID is passed, not the service name.',
    ]);
  });
});

describe("one service", () => {
  test("a reader that knows its hash waits for a change", async () => {
    await register({ Name: "web", Port: 80 });
    const first = await one.ask("GET /v1/agent/service/web");
    const hash = first.headers.get("x-consul-contenthash");
    expect(first.json).toMatchObject({ Service: "web", ContentHash: hash });
    const waiting = one.ask(`GET /v1/agent/service/web?hash=${hash}&wait=5s`);
    await register({ Name: "other" });
    await register({ Name: "web", Port: 81 });
    expect((await waiting).json).toMatchObject({ Port: 81 });
  });

  test("one that does not know it, or has waited, is answered", async () => {
    await register({ Name: "web" });
    const hash = (await one.ask("GET /v1/agent/service/web?hash=other")).headers.get("x-consul-contenthash");
    const began = performance.now();
    expect((await one.ask(`GET /v1/agent/service/web?hash=${hash}&wait=50ms`)).status).toBe(200);
    expect(performance.now() - began).toBeGreaterThan(40);
  });

  test("one that is not there is said so", async () => {
    const reply = await one.ask("GET /v1/agent/service/none");
    expect([reply.status, reply.text]).toEqual([404, "unknown service ID: none"]);
  });
});

describe("checks", () => {
  test("a check of the node is registered, reported and shown", async () => {
    await one.ask("PUT /v1/agent/check/register", { Name: "disk", TTL: "15s", Notes: "n" });
    expect((await one.ask("PUT /v1/agent/check/warn/disk?note=full")).status).toBe(200);
    expect((await one.ask("GET /v1/agent/checks")).json).toEqual({
      disk: {
        Node: "web-1",
        CheckID: "disk",
        Name: "disk",
        Status: "warning",
        Notes: "n",
        Output: "full",
        ServiceID: "",
        ServiceName: "",
        ServiceTags: [],
        Type: "ttl",
        Interval: "",
        Timeout: "",
        ExposedPort: 0,
        Definition: {},
        CreateIndex: 0,
        ModifyIndex: 0,
      },
    });
  });

  test("a report may bring an output, of which the first bytes are kept", async () => {
    await one.ask("PUT /v1/agent/check/register", { Name: "c", TTL: "15s", OutputMaxSize: 10 });
    await one.ask("PUT /v1/agent/check/update/c", { Status: "passing", Output: "0123456789more" });
    expect(one.node.state.checks.get("c")).toMatchObject({
      status: "passing",
      output: "0123456789 ... (captured 10 of 14 bytes)",
    });
  });

  test("a TTL check that nobody renews becomes critical, and says what it said last", async () => {
    await one.ask("PUT /v1/agent/check/register", { Name: "c", TTL: "80ms" });
    await one.ask("PUT /v1/agent/check/pass/c?note=fine");
    await until("critical", () => one.node.state.checks.get("c")?.status === "critical");
    expect(one.node.state.checks.get("c")?.output).toBe("TTL expired (last output before timeout follows): fine");
  });

  const refusals: { name: string; line: string; body?: unknown; want: [number, RegExp] }[] = [
    { name: "without a name", line: "register", body: { TTL: "1s" }, want: [400, /^Missing check name$/] },
    {
      name: "of a service that is not there",
      line: "register",
      body: { Name: "c", TTL: "1s", ServiceID: "none" },
      want: [400, /^ServiceID "none" does not exist/],
    },
    { name: "that is not there", line: "pass/none", want: [404, /^Unknown check ID "none"/] },
    {
      name: "with an unknown status",
      line: "update/c",
      body: { Status: "good" },
      want: [400, /^Bad check status: "good"/],
    },
    { name: "that runs by itself", line: "pass/tcp", want: [400, /^CheckID "tcp" does not have associated TTL/] },
  ];
  test.each(refusals)("a check $name is refused", async ({ line, body, want: [status, text] }) => {
    await one.ask("PUT /v1/agent/check/register", { Name: "c", TTL: "15s" });
    await one.ask("PUT /v1/agent/check/register", { Name: "tcp", TCP: "127.0.0.1:1", Interval: "1h" });
    const reply = await one.ask(`PUT /v1/agent/check/${line}`, body);
    expect(reply.status).toBe(status);
    expect(reply.text).toMatch(text);
  });
});

describe("a service's health for load balancers", () => {
  const cases = [
    { status: "pass", code: 200, want: "passing" },
    { status: "warn", code: 429, want: "warning" },
    { status: "fail", code: 503, want: "critical" },
  ];
  test.each(cases)("$want is $code, by id and by name", async ({ status, code, want }) => {
    await register({ ID: "w1", Name: "web", Check: { TTL: "1m" } });
    await one.ask(`PUT /v1/agent/check/${status}/service:w1`);
    const byId = await one.ask("GET /v1/agent/health/service/id/w1");
    expect([byId.status, byId.json]).toMatchObject([code, { AggregatedStatus: want, Service: { ID: "w1" } }]);
    const byName = await one.ask("GET /v1/agent/health/service/name/web");
    expect([byName.status, byName.json]).toMatchObject([code, [{ AggregatedStatus: want }]]);
    const asText = await one.ask("GET /v1/agent/health/service/name/web?format=text");
    expect([asText.status, asText.text]).toEqual([code, want]);
  });

  test("what is not there is 404", async () => {
    expect((await one.ask("GET /v1/agent/health/service/id/none?format=text")).text).toBe("ServiceId none not found");
    expect((await one.ask("GET /v1/agent/health/service/name/none")).json).toEqual([]);
  });

  test("maintenance is 503 until it is lifted", async () => {
    await register({ Name: "web" });
    await one.ask("PUT /v1/agent/service/maintenance/web?enable=true&reason=update");
    expect((await one.ask("GET /v1/agent/health/service/id/web?format=text")).text).toBe("maintenance");
    expect(one.node.state.checks.get("_service_maintenance:web")?.definition.notes).toBe("update");
    await one.ask("PUT /v1/agent/service/maintenance/web?enable=false");
    expect((await one.ask("GET /v1/agent/health/service/id/web")).status).toBe(200);
    expect((await one.ask("PUT /v1/agent/maintenance")).text).toBe("Missing value for enable");
  });
});

describe("the rest", () => {
  test("lists are filtered", async () => {
    for (const name of ["web", "db"]) await register({ Name: name });
    const reply = await one.ask(`GET /v1/agent/services?filter=${encodeURIComponent('Service == "db"')}`);
    expect(Object.keys(reply.json as object)).toEqual(["db"]);
    expect((await one.ask("GET /v1/agent/services?filter=Service%20=")).status).toBe(400);
  });

  test("other methods and paths are refused", async () => {
    const wrong = await one.ask("GET /v1/agent/service/register");
    expect([wrong.status, wrong.text]).toEqual([405, "method GET not allowed"]);
    expect((await one.ask("GET /v1/agent/none")).text).toBe("Invalid URL path: not a recognized HTTP API endpoint\n");
  });

  test("another namespace or partition than the only one is refused", async () => {
    expect((await one.ask("GET /v1/agent/services?ns=default")).status).toBe(200);
    expect((await one.ask("GET /v1/agent/services?ns=team")).text).toBe(
      'Invalid namespace "team": there is only "default".',
    );
    const reply = await one.ask("GET /v1/agent/services", undefined, { "x-consul-partition": "east" });
    expect([reply.status, reply.text]).toEqual([400, 'Invalid partition "east": there is only "default".']);
  });

  test("every route says who may use it", () => {
    for (const { permission, pattern } of one.node.routes)
      expect(permission.kind === "everyone" ? permission.why : permission.what, pattern).not.toBe("");
  });

  test("metrics count what there is, and say how much memory it takes", async () => {
    await register({ Name: "web", Check: { TTL: "1m" } });
    const { Gauges } = (await one.ask("GET /v1/agent/metrics")).json as { Gauges: { Name: string; Value: number }[] };
    const gauge = (name: string) => Gauges.find(({ Name }) => Name === name)?.Value;
    expect(gauge("consul.agent.checks.critical")).toBe(1);
    expect(gauge("consul.runtime.alloc_bytes")).toBeGreaterThan(1_000_000);
  });
});
