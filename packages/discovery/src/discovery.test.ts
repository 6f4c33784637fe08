import { openMemoryStore } from "@millwright/store/memory";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { identity, openTestServer, requestOf, type TestServer } from "../test/harness.ts";
import { staticTokens } from "./permissions.ts";

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

describe("a wrong request is refused with a reason", () => {
  const cases = [
    { line: "GET /v1/kv/", status: 400, text: "Missing key name" },
    { line: "PUT /v1/kv/", status: 400, text: "Missing key name" },
    { line: "DELETE /v1/kv/", status: 400, text: "Missing key name" },
    { line: "GET /v1/kv/a?index=x", status: 400, text: "Invalid index" },
    { line: "GET /v1/kv/a?index=-1", status: 400, text: "Invalid index" },
    { line: "GET /v1/kv/a?index=18446744073709551616", status: 400, text: "Invalid index" },
    { line: "GET /v1/kv/a?wait=5", status: 400, text: "Invalid wait time" },
    {
      line: "GET /v1/kv/a?stale&consistent",
      status: 400,
      text: "Cannot specify ?stale with ?consistent, conflicting semantics.",
    },
    {
      line: "GET /v1/kv/a?max_stale=1s&consistent",
      status: 400,
      text: "Cannot specify ?stale with ?consistent, conflicting semantics.",
    },
    {
      line: "GET /v1/kv/a?cached&consistent",
      status: 400,
      text: "Cannot specify ?cached with ?consistent, conflicting semantics.",
    },
    { line: "GET /v1/kv/a?max_stale=x", status: 400, text: 'Invalid max_stale value "x"' },
    { line: "PUT /v1/kv/a?cas=1&acquire=s", status: 400, text: "Conflicting flags: acquire=s&cas=1" },
    { line: "DELETE /v1/kv/a?recurse&cas=1", status: 400, text: "Conflicting flags: cas=1&recurse=" },
    { line: "PUT /v1/kv/a?cas=x", status: 400, text: /Invalid cas/ },
    { line: "PUT /v1/kv/a?flags=-1", status: 400, text: /Invalid flags/ },
    { line: "PUT /v1/kv/a?flags=18446744073709551616", status: 400, text: /Invalid flags/ },
    { line: "PUT /v1/kv/a?acquire=", status: 400, text: /missing session/ },
    { line: "PUT /v1/kv/a?acquire=s", status: 500, text: /invalid session/ },
    { line: "PUT /v1/kv/a%00b", status: 400, text: /printed/ },
    { line: "PUT /v1/kv/a%ff", status: 400, text: /UTF-8/ },
    { line: "GET /v1/kv/a?dc=dc2", status: 500, text: "No path to datacenter" },
    { line: "GET /v1/kv/a?dc=dc1&datacenter=dc2", status: 500, text: "No path to datacenter" },
    { line: "GET /v1/kv/a?ns=team", status: 400, text: /Invalid namespace "team"/ },
    { line: "GET /v1/kv/a?partition=p", status: 400, text: /Invalid partition "p"/ },
    { line: "GET /v1/kv/a?peer=p", status: 400, text: /"peer"/ },
    { line: "GET /v1/nonsense", status: 404, text: "Invalid URL path: not a recognized HTTP API endpoint\n" },
    {
      line: "GET /nonsense",
      status: 404,
      text: "Invalid URL path: if attempting to use the HTTP API, ensure the path starts with '/v1/'\n",
    },
  ];
  test.each(cases)("$line", async ({ line, status, text }) => {
    const reply = await server.ask(line, line.startsWith("PUT") ? "x" : undefined);
    expect(reply.status).toBe(status);
    expect(reply.headers["content-type"]).toMatch(/^text\/plain/);
    if (typeof text === "string") expect(reply.text).toBe(text);
    else expect(reply.text).toMatch(text);
    expect(await server.json("GET /v1/kv/?keys")).toEqual([]);
  });
});

describe("methods", () => {
  const cases = [
    { line: "OPTIONS /v1/kv/a", status: 200, allow: "OPTIONS,GET,PUT,DELETE" },
    { line: "HEAD /v1/kv/a", status: 405, allow: "OPTIONS,GET,PUT,DELETE" },
    { line: "POST /v1/kv/a", status: 405, allow: "OPTIONS,GET,PUT,DELETE" },
    { line: "GET /v1/txn", status: 405, allow: "OPTIONS,PUT" },
    { line: "PUT /v1/status/leader", status: 405, allow: "OPTIONS,GET" },
    { line: "DELETE /v1/snapshot", status: 405, allow: "OPTIONS,GET,PUT" },
  ];
  test.each(cases)("$line", async ({ line, status, allow }) => {
    expect(await server.ask(line)).toMatchObject({ status, headers: { allow } });
  });
});

test("the datacenter and namespace of the server may be named", async () => {
  await server.ask("PUT /v1/kv/a?dc=dc1&ns=default&partition=default", "x");
  expect((await server.ask("GET /v1/kv/a?datacenter=dc1")).status).toBe(200);
});

test("pretty JSON is indented by four spaces, at the client's wish or always", async () => {
  await server.ask("PUT /v1/kv/a", "x");
  const want =
    '[\n    {\n        "LockIndex": 0,\n        "Key": "a",\n        "Flags": 0,\n        "Value": "eA==",\n        "CreateIndex": 12,\n        "ModifyIndex": 12\n    }\n]\n';
  expect((await server.ask("GET /v1/kv/a?pretty")).text).toBe(want);
  const always = await openTestServer(store, { pretty: true });
  expect((await always.ask("GET /v1/kv/a")).text).toBe(want);
  expect((await always.ask("GET /v1/kv/a?keys")).text).toBe('[\n    "a"\n]\n');
  expect((await always.ask("PUT /v1/kv/b", "x")).text).toBe("true\n");
  await always.close();
});

test("status tells one leader, who is a peer", async () => {
  expect(await server.json("GET /v1/status/leader")).toBe("127.0.0.1:8300");
  expect(await server.json("GET /v1/status/peers")).toEqual(["127.0.0.1:8300"]);
});

test("the agent tells who it is in the places that clients read", async () => {
  expect(await server.json("GET /v1/agent/self")).toMatchObject({
    Config: { Datacenter: "dc1", NodeName: "n1", NodeID: identity.nodeId, Server: true, Version: "1.16.4" },
    Member: { Name: "n1", Addr: "127.0.0.1", Port: 8300, Status: 1, Tags: { role: "consul", dc: "dc1" } },
    Stats: { consul: { server: "true", leader: "true" } },
    Meta: {},
  });
});

test("the consistency that was asked for is told", async () => {
  await server.ask("PUT /v1/kv/a", "x");
  const of = async (query: string) =>
    (await server.ask(`GET /v1/kv/a?${query}`)).headers["x-consul-effective-consistency"];
  expect(await of("stale")).toBe("stale");
  expect(await of("max_stale=5s")).toBe("stale");
  expect(await of("consistent")).toBe("consistent");
  expect(await of("")).toBe("leader");
});

describe("a list of 100,000 keys", () => {
  const request = (line: string) => server.discovery.handle(requestOf(line));
  const fill = async () => {
    for (let i = 0; i < 100_000; i += 100) {
      const operations = Array.from({ length: 100 }, (_, j) => ({
        KV: { Verb: "set", Key: `k/${i + j}`, Value: "eA==" },
      }));
      await server.ask("PUT /v1/txn", JSON.stringify(operations));
    }
  };

  test("comes in pieces, with turns for others between them, as it was when it was asked for", async () => {
    await fill();
    for (const line of ["GET /v1/kv/?recurse", "GET /v1/kv/?recurse&pretty", "GET /v1/kv/k?keys"]) {
      const { body } = await request(line);
      let turns = 0;
      let counting = true;
      const count = () => {
        turns++;
        if (counting) setImmediate(count);
      };
      setImmediate(count);
      const pieces: string[] = [];
      for await (const piece of body as AsyncIterable<string>) {
        pieces.push(piece);
        if (pieces.length === 3) await server.ask("PUT /v1/kv/k/50000", line);
      }
      counting = false;
      expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(70_000);
      expect(turns).toBeGreaterThanOrEqual(pieces.length - 2);
      expect(JSON.parse(pieces.join(""))).toHaveLength(100_000);
      expect(pieces.join("")).not.toContain(Buffer.from(line).toString("base64"));
    }
    expect((await server.ask("GET /v1/kv/?keys&separator=/")).text).toBe('["k/"]');
    await server.ask("DELETE /v1/kv/k/?recurse");
    expect((await server.ask("GET /v1/kv/?keys")).text).toBe("[]");
  }, 60_000);
});

describe("with a policy of denial only the master token may do anything", () => {
  let guarded: TestServer;
  beforeEach(async () => {
    guarded = await openTestServer(store, { authorizer: staticTokens({ defaultPolicy: "deny", master: "s3cret" }) });
    await guarded.ask("PUT /v1/kv/a?token=s3cret", "x");
  });
  afterEach(() => guarded.close());

  const anonymous = (what: string) =>
    `Permission denied: anonymous token lacks permission ${what}. The anonymous token is used implicitly when a request does not specify a token.`;
  const cases = [
    { line: "GET /v1/kv/a", text: anonymous(`'key:read' on "a"`) },
    { line: "PUT /v1/kv/a", text: anonymous(`'key:write' on "a"`) },
    { line: "DELETE /v1/kv/a", text: anonymous(`'key:write' on "a"`) },
    { line: "DELETE /v1/kv/a?recurse", text: anonymous(`'key:write' on "a"`) },
    { line: "GET /v1/agent/self", text: anonymous(`'agent:read' on "n1"`) },
    { line: "GET /v1/snapshot", text: anonymous(`'acl:write'`) },
    { line: "PUT /v1/snapshot", text: anonymous(`'acl:write'`) },
    { line: "GET /v1/kv/a?token=wrong", text: "ACL not found" },
    { line: "GET /v1/kv/a?token=anonymous", text: anonymous(`'key:read' on "a"`) },
  ];
  test.each(cases)("$line is refused", async ({ line, text }) => {
    expect(await guarded.ask(line, "x")).toMatchObject({
      status: 403,
      text,
      headers: { "x-consul-default-acl-policy": "deny" },
    });
    expect((await guarded.ask("GET /v1/kv/a?raw&token=s3cret")).text).toBe("x");
  });

  test("a list shows nothing, and whoever has no token is not told of more", async () => {
    const reply = await guarded.ask("GET /v1/kv/?recurse");
    expect(reply.status).toBe(404);
    expect(reply.headers).not.toHaveProperty("x-consul-results-filtered-by-acls");
    expect((await guarded.ask("GET /v1/kv/?keys")).text).toBe("[]");
    expect((await guarded.ask("GET /v1/kv/?keys&token=s3cret")).text).toBe('["a"]');
  });

  test("each operation of a transaction is asked for", async () => {
    const body = JSON.stringify([{ KV: { Verb: "set", Key: "a", Value: "eQ==" } }, { KV: { Verb: "get", Key: "a" } }]);
    const reply = await guarded.ask("PUT /v1/txn", body);
    expect(reply.status).toBe(409);
    expect(JSON.parse(reply.text)).toEqual({
      Results: null,
      Errors: [
        { OpIndex: 0, What: anonymous(`'key:write' on "a"`) },
        { OpIndex: 1, What: anonymous(`'key:read' on "a"`) },
      ],
    });
    expect((await guarded.ask("PUT /v1/txn?token=s3cret", body)).status).toBe(200);
  });

  test("status is for everyone", async () => {
    expect((await guarded.ask("GET /v1/status/leader")).status).toBe(200);
  });

  const places = [
    {
      name: "the query wins over the header",
      query: "?token=s3cret",
      headers: { "x-consul-token": "wrong" },
      status: 200,
    },
    {
      name: "the header wins over the bearer",
      query: "",
      headers: { "x-consul-token": "s3cret", authorization: "Bearer wrong" },
      status: 200,
    },
    { name: "a bearer is enough", query: "", headers: { authorization: "bearer  s3cret" }, status: 200 },
    { name: "another scheme is no token", query: "", headers: { authorization: "Basic s3cret" }, status: 403 },
    {
      name: "an empty query leaves it to the header",
      query: "?token=",
      headers: { "x-consul-token": "s3cret" },
      status: 200,
    },
  ];
  test.each(places)("$name", async ({ query, headers, status }) => {
    expect(
      (await guarded.ask(`GET /v1/kv/a${query}`, undefined, { headers: headers as Record<string, string> })).status,
    ).toBe(status);
  });
});
