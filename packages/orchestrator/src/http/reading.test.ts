import { toApi } from "@millwright/jobs/api";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openApi, type TestApi } from "../../test/api.ts";
import { jobOf, until } from "../../test/cluster.ts";

const nodes = ["5f0c4f3e-0000-4000-8000-000000000001", "6a0c4f3e-0000-4000-8000-000000000002"];

let api: TestApi;
beforeEach(async () => {
  api = await openApi();
  for (const id of nodes) await api.cluster.join(id);
});
afterEach(() => api.close());

async function register(id: string, type = "batch"): Promise<void> {
  const job = jobOf({ count: 1, ephemeralDisk: { size: 300 } }, { id, name: id, type: type as "batch" });
  const reply = await api.ask("PUT /v1/jobs", { Job: toApi(job) });
  expect(reply.text).toContain("EvalID");
}

const ids = (list: unknown) => (list as readonly { readonly ID: string }[]).map(({ ID }) => ID);

describe("a read", () => {
  test("has its index, and whether there is a leader, in its headers", async () => {
    const { headers } = await api.ask("GET /v1/nodes");
    expect(headers).toMatchObject({ "x-nomad-knownleader": "true", "x-nomad-lastcontact": "0" });
    expect(Number(headers["x-nomad-index"])).toBeGreaterThan(0);
  });

  test("with an index waits until something of it changes", async () => {
    const { index } = await api.ask("GET /v1/jobs");
    const waiting = api.ask(`GET /v1/jobs?index=${index}&wait=10s`);
    await register("one");
    const reply = await waiting;
    expect(reply.index).toBeGreaterThan(index);
    expect(ids(JSON.parse(reply.text))).toEqual(["one"]);
  });

  test("of one allocation is not woken for good by another of the same job", async () => {
    await api.ask("PUT /v1/jobs", { Job: toApi(jobOf({ count: 2, ephemeralDisk: { size: 300 } })) });
    const { state } = api.cluster.context.projection;
    await until(api.cluster, () => state.count("client") === 2);
    const [first, second] = ids(await api.json("GET /v1/allocations"));
    const { index } = await api.ask(`GET /v1/allocation/${first}`);
    const began = Date.now();
    const waiting = api.ask(`GET /v1/allocation/${first}?index=${index}&wait=400ms`);
    await api.ask(`PUT /v1/allocation/${second}/stop`);
    expect((await waiting).index).toBe(index);
    expect(Date.now() - began).toBeGreaterThan(350);
    const changed = api.ask(`GET /v1/allocation/${first}?index=${index}&wait=10s`);
    await api.ask(`PUT /v1/allocation/${first}/stop`);
    expect((await changed).index).toBeGreaterThan(index);
  });

  test("of a job that is gone says when it went", async () => {
    await register("one");
    let reply = await api.ask("GET /v1/job/one");
    const purged = api.ask("DELETE /v1/job/one?purge=true");
    // It changes a few times before it goes.
    while (reply.status === 200) reply = await api.ask(`GET /v1/job/one?index=${reply.index}&wait=10s`);
    expect([reply.status, reply.text]).toEqual([404, "job not found"]);
    await purged;
  });

  test("that was given up ends without a change", async () => {
    const { index } = await api.ask("GET /v1/nodes");
    const gone = new AbortController();
    const waiting = api.ask(`GET /v1/nodes?index=${index}&wait=60s`, undefined, { signal: gone.signal });
    gone.abort();
    expect((await waiting).status).toBe(200);
  });
});

describe("a list", () => {
  beforeEach(async () => {
    for (const id of ["web", "db", "web-2"]) await register(id);
    await until(api.cluster, () => api.cluster.context.projection.state.count("client") === 3);
  });

  for (const { name, line, want } of [
    { name: "is in the order of its names", line: "/v1/jobs", want: ["db", "web", "web-2"] },
    { name: "is cut down to a prefix", line: "/v1/jobs?prefix=web", want: ["web", "web-2"] },
    { name: "goes backwards", line: "/v1/jobs?reverse=true", want: ["web-2", "web", "db"] },
    {
      name: "is filtered by its whole records",
      line: '/v1/jobs?filter=Region+==+global+and+ID+!=+"db"',
      want: ["web", "web-2"],
    },
    { name: "of another namespace is empty", line: "/v1/jobs?namespace=other", want: [] },
    { name: "of all namespaces is whole", line: "/v1/jobs?namespace=*", want: ["db", "web", "web-2"] },
  ]) {
    test(name, async () => expect(ids(await api.json(`GET ${line}`))).toEqual(want));
  }

  test("says where a filter asks for what its records do not have", async () => {
    const reply = await api.ask("GET /v1/jobs?filter=Nope==1");
    expect(reply.status).toBe(400);
    expect(reply.text).toContain("failed to read result page: ");
  });

  test("is read page by page", async () => {
    for (const path of [
      "/v1/jobs",
      "/v1/allocations",
      "/v1/evaluations",
      "/v1/nodes",
      "/v1/allocations?reverse=true",
    ]) {
      const join = path.includes("?") ? "&" : "?";
      const all = ids(await api.json(`GET ${path}`));
      expect(all.length, path).toBeGreaterThan(1);
      const paged: string[] = [];
      for (let next: string | undefined = ""; next !== undefined; ) {
        const reply = await api.ask(`GET ${path}${join}per_page=1&next_token=${next}`);
        const page = ids(JSON.parse(reply.text));
        expect(page).toHaveLength(1);
        paged.push(...page);
        next = reply.headers["x-nomad-nexttoken"];
      }
      expect(paged, path).toEqual(all);
    }
  });

  test("of allocations takes a prefix of any length, and says so where it is none", async () => {
    const all = ids(await api.json("GET /v1/allocations"));
    for (const length of [1, 2, 7, 8, 9, 36]) {
      const prefix = all[0]!.slice(0, length);
      const want = all.filter((id) => id.startsWith(prefix)).sort();
      expect(ids(await api.json(`GET /v1/allocations?prefix=${prefix.toUpperCase()}`))).toEqual(want);
    }
    const reply = await api.ask("GET /v1/allocations?prefix=zz");
    expect([reply.status, reply.text]).toEqual([500, "alloc lookup failed: index error: Invalid UUID"]);
  });

  test("that is long comes piece by piece, and whole", async () => {
    for (let i = 0; i < 150; i++) await register(`many-${i}`);
    const reply = await api.ask("GET /v1/jobs?prefix=many-");
    expect(JSON.parse(reply.text)).toHaveLength(150);
    const indented = await api.ask("GET /v1/jobs?prefix=many-&pretty");
    expect(indented.text).toBe(`${JSON.stringify(JSON.parse(indented.text), null, 4)}\n`);
  });
});

describe("a request that makes no sense is told", () => {
  for (const { line, status, text } of [
    { line: "GET /v1/jobs?index=x", status: 400, text: "Invalid index" },
    { line: "GET /v1/jobs?wait=x", status: 400, text: "Invalid wait time" },
    {
      line: "GET /v1/jobs?stale=x",
      status: 400,
      text: "Expect `true` or `false` for `stale` query string parameter, got x",
    },
    { line: "GET /v1/jobs?region=other", status: 500, text: "No path to region" },
    {
      line: "GET /v1/jobs?filter=nope",
      status: 400,
      text: "failed to create result paginator: failed to read filter expression",
    },
    {
      line: "GET /v1/evaluations?job=a&filter=x",
      status: 400,
      text: "Filter expression cannot be used with other filter parameters",
    },
    {
      line: "GET /v1/allocation/abcd",
      status: 500,
      text: "alloc lookup failed: index error: UUID must be 36 characters",
    },
    { line: "GET /v1/node/abcd", status: 500, text: "node lookup failed: index error: UUID must be 36 characters" },
    {
      line: "GET /v1/evaluation/abcd",
      status: 500,
      text: "failed to lookup eval: eval lookup failed: index error: UUID must be 36 characters",
    },
    {
      line: "GET /v1/deployment/abcd",
      status: 500,
      text: "deployment lookup failed: index error: UUID must be 36 characters",
    },
    { line: "GET /v1/job/nope", status: 404, text: "job not found" },
    { line: "GET /v1/job/nope/versions", status: 404, text: "job versions not found" },
    { line: "GET /v1/job/nope/summary", status: 404, text: "job not found" },
    { line: "GET /v1/allocation/00000000-0000-0000-0000-000000000000", status: 404, text: "alloc not found" },
    { line: "GET /v1/node/00000000-0000-0000-0000-000000000000", status: 404, text: "node not found" },
    { line: "GET /v1/evaluation/00000000-0000-0000-0000-000000000000", status: 404, text: "eval not found" },
    { line: "GET /v1/deployment/00000000-0000-0000-0000-000000000000", status: 404, text: "deployment not found" },
    { line: "GET /v1/client/fs/ls/nope", status: 404, text: 'Unknown allocation "nope"' },
    { line: "GET /v1/namespace/nope", status: 404, text: "Namespace not found" },
    { line: "DELETE /v1/jobs", status: 405, text: "Invalid method" },
    { line: "GET /v1/nope", status: 404, text: "" },
  ]) {
    test(line, async () => {
      const reply = await api.ask(line);
      expect(reply.status).toBe(status);
      expect(reply.text).toContain(text);
    });
  }

  test("what is not there is empty where Nomad has it empty", async () => {
    expect(await api.json("GET /v1/job/nope/allocations")).toEqual([]);
    expect(await api.json("GET /v1/job/nope/evaluations")).toEqual([]);
    expect(await api.json("GET /v1/job/nope/deployment")).toBeNull();
  });
});
