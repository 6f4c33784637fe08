import { openMemoryStore } from "@millwright/store/memory";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestServer, type TestReply, type TestServer } from "../test/harness.ts";
import type { Authorizer, Permission } from "./permissions.ts";

let store = openMemoryStore();
let server: TestServer;
beforeEach(async () => {
  store = openMemoryStore();
  server = await openTestServer(store);
});
afterEach(async () => {
  await server.close();
  await store.close();
});

const register = (body: object): Promise<TestReply> => server.ask("PUT /v1/catalog/register", JSON.stringify(body));
const deregister = (body: object): Promise<TestReply> => server.ask("PUT /v1/catalog/deregister", JSON.stringify(body));
const id = (last: number) => `00000000-0000-4000-8000-00000000000${last}`;
const alive = { CheckID: "serfHealth", Name: "alive", Status: "passing" };

describe("names and IDs of nodes", () => {
  test("a name that belongs to a node that is alive is refused to another ID", async () => {
    await register({ Node: "a", Address: "1.1.1.1", ID: id(1), Check: alive });
    expect(await register({ Node: "A", Address: "2.2.2.2", ID: id(2) })).toMatchObject({
      status: 409,
      text: `failed inserting node: Error while renaming Node ID: "${id(2)}": Node name A is reserved by node ${id(1)} with name a (1.1.1.1)`,
    });
    expect(await server.json("GET /v1/catalog/nodes")).toMatchObject([{ ID: id(1), Address: "1.1.1.1" }]);
  });

  test("a name is taken over when its node is not alive, or nobody says that it is", async () => {
    await register({ Node: "a", Address: "1.1.1.1", ID: id(1), Check: { ...alive, Status: "critical" } });
    await register({ Node: "b", Address: "1.1.1.1", ID: id(3) });
    expect((await register({ Node: "a", Address: "2.2.2.2", ID: id(2) })).status).toBe(200);
    expect((await register({ Node: "b", Address: "2.2.2.2", ID: id(4) })).status).toBe(200);
    expect(await server.json("GET /v1/catalog/nodes")).toMatchObject([{ ID: id(2) }, { ID: id(4) }]);
  });

  test("a node keeps its ID under a new name, and what was registered under the old one goes", async () => {
    await register({ Node: "a", Address: "1.1.1.1", ID: id(1), Service: { Service: "web" }, Check: { Name: "c" } });
    await register({ Node: "b", Address: "1.1.1.1", ID: id(1) });
    expect(await server.json("GET /v1/catalog/nodes")).toMatchObject([{ Node: "b", ID: id(1) }]);
    expect(await server.json("GET /v1/catalog/services")).toEqual({});
    expect(await server.json("GET /v1/health/state/any")).toEqual([]);
  });

  test("a node may not take the name of another one that is alive", async () => {
    await register({ Node: "a", Address: "1.1.1.1", ID: id(1) });
    await register({ Node: "b", Address: "2.2.2.2", ID: id(2), Check: alive });
    expect(await register({ Node: "b", Address: "1.1.1.1", ID: id(1) })).toMatchObject({
      status: 409,
      text: expect.stringContaining(`"${id(1)}" (a): Node name b is reserved`),
    });
    expect(await server.json("GET /v1/catalog/nodes")).toHaveLength(2);
  });

  test("of two that register one ID under two names at once, the second renames the first", async () => {
    const other = await openTestServer(store);
    const bodies = ["a", "b", "c", "d"].map((Node) => JSON.stringify({ Node, Address: "1.1.1.1", ID: id(1) }));
    await Promise.all(bodies.map((body, i) => (i % 2 ? other : server).ask("PUT /v1/catalog/register", body)));
    expect(await server.json("GET /v1/catalog/nodes")).toHaveLength(1);
    await other.close();
  });
});

describe("what belongs together stays together", () => {
  test("a check carries the name and tags of its service, also when those change", async () => {
    const instance = { ID: "i", Service: "old", Tags: ["t"] };
    await register({ Node: "a", Address: "1.1.1.1", Service: instance, Check: { CheckID: "c", ServiceID: "i" } });
    await register({ Node: "a", Address: "1.1.1.1", Service: { ...instance, Service: "new", Tags: ["u"] } });
    expect(await server.json("GET /v1/health/checks/old")).toEqual([]);
    expect(await server.json("GET /v1/health/checks/new")).toMatchObject([{ ServiceName: "new", ServiceTags: ["u"] }]);
  });

  test("a list that is empty is none in the answer of a transaction, and an empty one everywhere else", async () => {
    const write = (Node: string) => [
      { Node: { Verb: "set", Node: { Node, Address: "1.1.1.1" } } },
      { Service: { Verb: "set", Node, Service: { Service: "s" } } },
      { Check: { Verb: "set", Check: { Node, CheckID: "c", ServiceID: "s" } } },
    ];
    expect(await server.json("PUT /v1/txn", JSON.stringify(write("a")))).toMatchObject({
      Results: [{}, { Service: { Tags: null } }, { Check: { ServiceTags: null } }],
    });
    expect(await server.json("GET /v1/health/node/a")).toMatchObject([{ ServiceTags: [] }]);
    expect(await server.json("GET /v1/catalog/service/s")).toMatchObject([{ ServiceTags: [] }]);
  });

  test("registering the same again changes no index", async () => {
    const body = { Node: "a", Address: "1.1.1.1", Service: { Service: "web", Tags: ["t"] }, Check: { Name: "c" } };
    await register(body);
    const before = await store.revision();
    await register(body);
    expect(await store.revision()).toBe(before);
  });

  test("deregistering what is not there does nothing", async () => {
    await register({ Node: "a", Address: "1.1.1.1" });
    const before = await store.revision();
    for (const body of [{ Node: "x" }, { Node: "a", ServiceID: "x" }, { Node: "a", CheckID: "x" }]) {
      expect(await deregister(body)).toMatchObject({ status: 200, text: "true" });
    }
    expect(await store.revision()).toBe(before);
  });

  test("a node with hundreds of services and checks goes in one commit", async () => {
    for (let i = 0; i < 150; i++) {
      await register({
        Node: "a",
        Address: "1",
        Service: { Service: `s${i}` },
        Check: { Name: `c${i}`, ServiceID: `s${i}` },
      });
    }
    await register({ Node: "ab", Address: "1", Service: { Service: "s1" } });
    const before = await store.revision();
    await deregister({ Node: "a" });
    expect(await store.revision()).toBe(before + 1);
    expect(await server.json("GET /v1/catalog/services")).toEqual({ s1: [] });
    expect(await server.json("GET /v1/health/state/any")).toEqual([]);
  });

  test("more checks than one commit takes are refused, and none is written", async () => {
    const Checks = Array.from({ length: 140 }, (_, i) => ({ Name: `c${i}` }));
    expect(await register({ Node: "a", Address: "1.1.1.1", Checks })).toMatchObject({
      status: 413,
      text: expect.stringMatching(/128 records.*in parts/),
    });
    expect(await server.json("GET /v1/catalog/nodes")).toEqual([]);
  });

  test("names with slashes, percent signs and spaces are names like others", async () => {
    for (const name of ["a/b", "a%2Fb", "a b", "a"])
      await register({ Node: name, Address: name, Service: { Service: name } });
    for (const name of ["a/b", "a%2Fb", "a b", "a"]) {
      const path = encodeURIComponent(name);
      expect(await server.json(`GET /v1/catalog/node/${path}`)).toMatchObject({ Node: { Address: name } });
      expect(await server.json(`GET /v1/health/service/${path}`)).toHaveLength(1);
    }
  });
});

describe("a registration that cannot be is refused with a reason, and leaves nothing", () => {
  const node = { Node: "n", Address: "1.1.1.1" };
  const cases: { name: string; body: object; text: RegExp | string }[] = [
    {
      name: "a misspelt field",
      body: { ...node, Adress: "x" },
      text: /the registration has an unknown field "Adress"/,
    },
    {
      name: "a misspelt field of a service",
      body: { ...node, Service: { Service: "x", Prot: 1 } },
      text: /the service has an unknown field "Prot"/,
    },
    {
      name: "a port that is text",
      body: { ...node, Service: { Service: "x", Port: "80" } },
      text: /Port is no whole number/,
    },
    {
      name: "a port there is none",
      body: { ...node, Service: { Service: "x", Port: 70_000 } },
      text: /Port 70000 is not/,
    },
    { name: "tags that are no list", body: { ...node, Service: { Service: "x", Tags: "t" } }, text: /Tags is no list/ },
    {
      name: "no such status",
      body: { ...node, Check: { Name: "c", Status: "fine" } },
      text: /Bad check status: "fine"/,
    },
    { name: "a check without a name", body: { ...node, Check: {} }, text: /Must provide the CheckID or the Name/ },
    { name: "no UUID", body: { ...node, ID: "x" }, text: 'Bad node ID: "x" is no UUID' },
    {
      name: "a duration without unit",
      body: { ...node, Check: { Name: "c", Definition: { Interval: "5" } } },
      text: /Invalid Interval: time: missing unit/,
    },
    { name: "a proxy", body: { ...node, Service: { Service: "x", Kind: "connect-proxy" } }, text: /no service mesh/ },
    {
      name: "a name that cannot be seen",
      body: { ...node, Service: { Service: "x\u0007" } },
      text: /cannot be printed/,
    },
    {
      name: "the check of another node",
      body: { ...node, Check: { Name: "c", Node: "m" } },
      text: /doesn't match register request node 'n'/,
    },
  ];
  test.each(cases)("$name", async ({ body, text }) => {
    const reply = await register(body);
    expect(reply.status).toBe(400);
    if (typeof text === "string") expect(reply.text).toBe(text);
    else expect(reply.text).toMatch(text);
    expect(await server.json("GET /v1/catalog/nodes")).toEqual([]);
  });
  test("no JSON", async () => {
    expect(await server.ask("PUT /v1/catalog/register", "{")).toMatchObject({
      status: 400,
      text: expect.stringMatching(/^Request decode failed: /),
    });
  });
});

describe("with permissions on single names", () => {
  // A token's text is what it may do: "service:read:web node:read:*".
  const authorizer: Authorizer = {
    defaultPolicy: "deny",
    grantsOf: (token) => ({
      unrestricted: token === "root",
      decide: (permission) => (allows(token, permission) ? { kind: "allow" } : { kind: "deny", accessor: "x" }),
    }),
  };
  const allows = (token: string, permission: Permission) =>
    token === "root" ||
    token.split(" ").some((grant) => {
      const [resource, access, name] = grant.split(":");
      const on = "name" in permission ? permission.name : "";
      return resource === permission.resource && access === permission.access && (name === "*" || name === on);
    });
  const as = (token: string) => ({ headers: { "x-consul-token": token } });

  beforeEach(async () => {
    await server.close();
    server = await openTestServer(store, { authorizer });
    for (const [Node, Service] of [
      ["n1", "web"],
      ["n1", "db"],
      ["n2", "web"],
    ] as const) {
      const body = {
        Node,
        Address: "1",
        Service: { Service },
        Checks: [{ Name: `${Service}-check`, ServiceID: Service }, { Name: "disk" }],
      };
      expect((await server.ask("PUT /v1/catalog/register", JSON.stringify(body), as("root"))).status).toBe(200);
    }
  });

  const reads = [
    { line: "GET /v1/catalog/nodes", token: "node:read:n1", want: ["n1"] },
    { line: "GET /v1/catalog/service/web", token: "node:read:n2 service:read:web", want: ["n2"] },
    { line: "GET /v1/health/service/web", token: "node:read:* service:read:db", want: [] },
    { line: "GET /v1/health/node/n1", token: "node:read:n1 service:read:db", want: ["db-check", "disk"] },
    { line: "GET /v1/health/checks/web", token: "node:read:n1 service:read:web", want: ["web-check"] },
    { line: "GET /v1/health/state/any", token: "node:read:n2", want: ["disk"] },
  ];
  test.each(reads)(
    "$line shows what may be read, and says that there is more: $token",
    async ({ line, token, want }) => {
      const reply = await server.ask(line, undefined, as(token));
      const items = JSON.parse(reply.text) as { Node: string | { Node: string }; CheckID?: string }[];
      expect(items.map(({ Node, CheckID }) => CheckID ?? (typeof Node === "string" ? Node : Node.Node))).toEqual(want);
      expect(reply.headers["x-consul-results-filtered-by-acls"]).toBe("true");
      const all = await server.ask(line, undefined, as("root"));
      expect(all.headers["x-consul-results-filtered-by-acls"]).toBeUndefined();
    },
  );

  test("one node's answer leaves out the services that may not be read", async () => {
    const reply = await server.ask("GET /v1/catalog/node/n1", undefined, as("node:read:n1 service:read:db"));
    expect(Object.keys((JSON.parse(reply.text) as { Services: object }).Services)).toEqual(["db"]);
    expect((await server.ask("GET /v1/catalog/node/n1", undefined, as("service:read:*"))).text).toBe("null");
    expect((await server.ask("GET /v1/catalog/services", undefined, as("node:read:* service:read:db"))).text).toBe(
      '{"db":[]}',
    );
  });

  const web = { Service: "web", Port: 1 };
  const writes: { name: string; body: object; token: string; denied?: string }[] = [
    {
      name: "a service on a node as it is",
      body: { Node: "n1", Address: "1", Service: web },
      token: "service:write:web",
    },
    {
      name: "a service, with a change of its node",
      body: { Node: "n1", Address: "2", Service: web },
      token: "service:write:web",
      denied: `'node:write' on "n1"`,
    },
    {
      name: "another service",
      body: { Node: "n1", Address: "1", Service: web },
      token: "service:write:db",
      denied: `'service:write' on "web"`,
    },
    {
      name: "a service under the ID of another",
      body: { Node: "n1", Address: "1", Service: { ID: "db", Service: "web" } },
      token: "service:write:web",
      denied: `'service:write' on "db"`,
    },
    {
      name: "a check of the node",
      body: { Node: "n1", Address: "1", Check: { Name: "disk" } },
      token: "service:write:web",
      denied: `'node:write' on "n1"`,
    },
    {
      name: "a check of the service",
      body: { Node: "n1", Address: "1", Check: { Name: "more", ServiceID: "web" } },
      token: "service:write:web",
    },
  ];
  test.each(writes)("registering $name with $token", async ({ body, token, denied }) => {
    const reply = await server.ask("PUT /v1/catalog/register", JSON.stringify(body), as(token));
    if (!denied) return expect(reply.text).toBe("true");
    expect(reply).toMatchObject({ status: 403, text: expect.stringContaining(`lacks permission ${denied}`) });
  });

  const removals = [
    { body: { Node: "n1", ServiceID: "web" }, token: "service:write:web", status: 200 },
    { body: { Node: "n1", ServiceID: "web" }, token: "service:write:db", status: 403 },
    { body: { Node: "n1", CheckID: "web-check" }, token: "service:write:web", status: 200 },
    { body: { Node: "n1", CheckID: "disk" }, token: "service:write:web", status: 403 },
    { body: { Node: "n1" }, token: "service:write:web", status: 403 },
    { body: { Node: "n1" }, token: "node:write:n1", status: 200 },
  ];
  test.each(removals)("deregistering $body with $token: $status", async ({ body, token, status }) => {
    expect((await server.ask("PUT /v1/catalog/deregister", JSON.stringify(body), as(token))).status).toBe(status);
  });
});
