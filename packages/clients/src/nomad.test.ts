import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { isKind, type OperationalError } from "@millwright/core/errors";
import { afterEach, describe, expect, test } from "vitest";
import { clientErrors } from "./errors.ts";
import { NomadClient } from "./nomad.ts";
import { NomadRefusal } from "./nomad-api.ts";
import { nomadConfigFromEnv } from "./nomad-config.ts";

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function serving(...replies: readonly Reply[]): Promise<{ client: NomadClient; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const { method = "", url = "", headers } = request;
    const text = Buffer.concat(chunks).toString();
    const reply = replies[Math.min(seen.length, replies.length - 1)]!;
    seen.push({ method, url, headers, body: text === "" ? undefined : JSON.parse(text) });
    response.writeHead(reply.status ?? 200, reply.headers).end(reply.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = new NomadClient({ address: `http://127.0.0.1:${port}`, token: "t0ken", region: "apac" });
  cleanups.push(
    () => void server.close(),
    () => client.close(),
  );
  return { client, seen };
}

const job = { ID: "web" };

describe("a call", () => {
  const cases: readonly {
    readonly name: string;
    readonly call: (client: NomadClient) => Promise<unknown>;
    readonly want: { readonly method: string; readonly url: string; readonly body?: unknown };
    readonly reply?: string;
  }[] = [
    {
      name: "lists jobs by their beginning",
      call: ({ jobs }) => jobs.list({ prefix: "we", namespace: "*" }),
      want: { method: "GET", url: "/v1/jobs?prefix=we&region=apac&namespace=*" },
      reply: "[]",
    },
    {
      name: "has a job's id whole in its path",
      call: ({ jobs }) => jobs.get("a/b c"),
      want: { method: "GET", url: "/v1/job/a%2Fb%20c?region=apac" },
    },
    {
      name: "registers a job",
      call: ({ jobs }) => jobs.register(job),
      want: { method: "PUT", url: "/v1/jobs?region=apac", body: { Job: job } },
    },
    {
      name: "registers a job only at an index",
      call: ({ jobs }) => jobs.register(job, { jobModifyIndex: 0, preserveCounts: true }),
      want: {
        method: "PUT",
        url: "/v1/jobs?region=apac",
        body: { Job: job, EnforceIndex: true, JobModifyIndex: 0, PreserveCounts: true },
      },
    },
    {
      name: "plans with a diff",
      call: ({ jobs }) => jobs.plan(job, "web"),
      want: {
        method: "PUT",
        url: "/v1/job/web/plan?region=apac",
        body: { Job: job, Diff: true, PolicyOverride: false },
      },
    },
    {
      name: "stops a job and forgets it",
      call: ({ jobs }) => jobs.deregister("web", { purge: true }),
      want: { method: "DELETE", url: "/v1/job/web?purge=true&region=apac" },
    },
    {
      name: "goes back to a version",
      call: ({ jobs }) => jobs.revert("web", 2, { from: 4 }),
      want: {
        method: "PUT",
        url: "/v1/job/web/revert?region=apac",
        body: { JobID: "web", JobVersion: 2, EnforcePriorVersion: 4 },
      },
    },
    {
      name: "scales a group",
      call: ({ jobs }) => jobs.scale("web", { group: "app", count: 3 }),
      want: {
        method: "PUT",
        url: "/v1/job/web/scale?region=apac",
        body: { Count: 3, Target: { Job: "web", Group: "app" }, Message: "" },
      },
    },
    {
      name: "waits for a change",
      call: ({ evaluations }) => evaluations.get("e1", { index: 7, wait: 1500 }),
      want: { method: "GET", url: "/v1/evaluation/e1?region=apac&index=7&wait=1500ms" },
    },
    {
      name: "promotes the canaries of all groups where none is named",
      call: ({ deployments }) => deployments.promote("d1"),
      want: {
        method: "PUT",
        url: "/v1/deployment/promote/d1?region=apac",
        body: { DeploymentID: "d1", All: true, Groups: [] },
      },
    },
    {
      name: "signals a task",
      call: ({ allocations }) => allocations.signal("a1", "SIGHUP", { task: "web" }),
      want: {
        method: "PUT",
        url: "/v1/client/allocation/a1/signal?region=apac",
        body: { Task: "web", Signal: "SIGHUP" },
      },
    },
    {
      name: "drains a node",
      call: ({ nodes }) => nodes.drain("n1", { deadline: 3_600_000_000_000 }),
      want: {
        method: "PUT",
        url: "/v1/node/n1/drain?region=apac",
        body: { NodeID: "n1", DrainSpec: { Deadline: 3_600_000_000_000, IgnoreSystemJobs: false } },
      },
    },
  ];
  test.each(cases)("$name", async ({ call, want, reply = "{}" }) => {
    const { client, seen } = await serving({ body: reply });
    await call(client);
    const [{ headers, ...rest }] = seen as [Seen];
    expect(rest).toEqual({ body: undefined, ...want });
    expect(headers["x-nomad-token"]).toBe("t0ken");
  });
});

describe("an answer", () => {
  test("brings the index of its headers, and nulls as what is empty", async () => {
    const headers = { "x-nomad-index": "42", "x-nomad-knownleader": "true", "x-nomad-nexttoken": "more" };
    const { client } = await serving({ body: '[{"ID":"web","Datacenters":null,"JobSummary":null}]', headers });
    const { value, ...rest } = await client.jobs.list();
    expect(rest).toEqual({ index: 42, knownLeader: true, lastContact: 0, nextToken: "more" });
    expect(value[0]).toMatchObject({ ID: "web", Datacenters: [], JobSummary: null, SubmitTime: 0n });
  });

  test("keeps moments to the nanosecond", async () => {
    const { client } = await serving({ body: '[{"ID":"a1","CreateTime":1479384000123456789}]' });
    expect((await client.allocations.list()).value[0]?.CreateTime).toBe(1479384000123456789n);
  });

  test("of another kind of server is told with its place", async () => {
    const { client } = await serving({ body: '{"Allocations":3}' });
    await expect(client.allocations.list()).rejects.toThrow(/^\/v1\/allocations should be a list, .*Nomad HTTP API\.$/);
  });

  test("of 404 is nothing where something is looked for", async () => {
    const { client } = await serving({ status: 404, body: "job not found" });
    expect((await client.jobs.get("web")).value).toBeUndefined();
  });

  test("that refuses is told in the server's words, and not asked for again", async () => {
    const said = "Enforcing job modify index 3: job exists with conflicting job modify index: 7";
    const { client, seen } = await serving({ status: 500, body: said });
    const error = await client.jobs.plan(job, "web").catch((thrown: unknown) => thrown);
    expect(isKind(error, clientErrors.refused)).toBe(true);
    const { cause, message } = error as OperationalError;
    expect(cause).toBeInstanceOf(NomadRefusal);
    expect(cause).toMatchObject({ status: 500, message: said });
    expect(message).toMatch(/^PUT http:\S+\/v1\/job\/web\/plan answered 500: Enforcing/);
    expect(seen).toHaveLength(1);
  });

  test("of a server without a leader is asked for again where that does no harm", async () => {
    const { client, seen } = await serving({ status: 500, body: "No cluster leader" }, { body: "[]" });
    expect((await client.nodes.list()).value).toEqual([]);
    expect(seen).toHaveLength(2);
  });
});

describe("the output of a task", () => {
  test("comes in frames, of which those without anything are passed over", async () => {
    const data = (text: string) => Buffer.from(text).toString("base64");
    const frames = [
      `{"Data":"${data("one }\n")}","File":"web.stdout.0","Offset":6}{}\n`,
      `{"FileEvent":"file deleted","File":"we\\"b"} {"Data":"${data("two\n")}","Offset":4}`,
    ];
    const { client, seen } = await serving({ body: frames.join("") });
    const read = await Array.fromAsync(
      client.files.logs("a1", { task: "web", stream: "stdout", follow: true, origin: "end", offset: 100 }),
    );
    expect(read.map(({ data: bytes, event }) => [Buffer.from(bytes).toString(), event])).toEqual([
      ["one }\n", ""],
      ["", "file deleted"],
      ["two\n", ""],
    ]);
    expect(seen[0]?.url).toBe(
      "/v1/client/fs/logs/a1?task=web&type=stdout&follow=true&origin=end&offset=100&region=apac",
    );
  });

  test("that is no frame is told", async () => {
    const { client } = await serving({ body: "plain text" });
    const logs = client.files.logs("a1", { task: "web", stream: "stdout", follow: false, origin: "start", offset: 0 });
    await expect(Array.fromAsync(logs)).rejects.toThrow(/a frame is not JSON: plain text/);
  });
});

describe("the environment of Nomad's own client", () => {
  test("gives address, token, region, namespace and certificates", () => {
    const env = {
      NOMAD_ADDR: "https://nomad.example:4646",
      NOMAD_TOKEN: "t",
      NOMAD_REGION: "apac",
      NOMAD_NAMESPACE: "web",
      NOMAD_CACERT: "/ca.pem",
      NOMAD_SKIP_VERIFY: "true",
    };
    expect(nomadConfigFromEnv(env)).toEqual({
      address: "https://nomad.example:4646",
      token: "t",
      region: "apac",
      namespace: "web",
      caFile: "/ca.pem",
      tlsVerify: false,
    });
  });

  test("need not be there", () => {
    expect(nomadConfigFromEnv({ NOMAD_TOKEN: "" })).toEqual({ address: "http://127.0.0.1:4646" });
  });
});
