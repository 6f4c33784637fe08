import { createPublicKey, verify } from "node:crypto";
import { allocId, nodeId } from "@millwright/scheduler/ids";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { collected, requestOf, type TestReply } from "../../test/api.ts";
import { type Cluster, jobOf, openCluster } from "../../test/cluster.ts";
import { sampleRegistration } from "../../test/sample-records.ts";
import { allowAll } from "../http/permissions.ts";
import { publishedKeys, publishKey } from "../identity/published-keys.ts";
import { openSigner, type Signer } from "../identity/signer.ts";
import { jobsService } from "../service.ts";
import { nodeRoutes } from "./node-routes.ts";

const own = "00000000-0000-4000-8000-000000000001";
const other = "00000000-0000-4000-8000-000000000002";

let cluster: Cluster;
let signer: Signer;
let ask: (line: string, token: string, body?: unknown) => Promise<TestReply>;

beforeEach(async () => {
  cluster = await openCluster();
  signer = await openSigner(undefined);
  const { context, commands, membership } = cluster;
  const routes = nodeRoutes({ ...context, commands, signer });
  const handle = jobsService({ ...context, routes, authorizer: allowAll, membership });
  // A node's token is its id.
  ask = async (line, token, body) => collected(await handle(requestOf(line, body, { token })));
  for (const id of [own, other]) membership.set(id, true);
});
afterEach(() => cluster.close());

const task = { name: "api", vault: { role: "web" }, identities: [{ name: "aws", audience: ["sts"] }] };
const gates = { gates: [{ name: "own", kind: "conditions" }] };
const web = jobOf({ name: "web" }, { id: "web", gates }, task);

/** A job with a task that may read secrets, running on the node; gives its allocation. */
async function running(): Promise<string> {
  await cluster.join(own, { outcome: () => "hangs" });
  await cluster.commands.registerJob(web, {});
  await expect.poll(() => allocations()).toHaveLength(1);
  return allocations()[0] ?? "";
}

function allocations(): readonly string[] {
  const { derived } = cluster.context.projection.state;
  return derived.allocationsOnNode(nodeId(own)).map(({ allocation }) => allocation.id);
}

describe("a node", () => {
  test("registers, and gets its allocations with their jobs", async () => {
    const registered = await ask("PUT /v1/millwright/node/register", own, sampleRegistration(own));
    expect(registered).toMatchObject({ status: 200, text: '{"Region":"global","Datacenter":"dc1"}' });
    const id = await running();
    const { text, index } = await ask(`GET /v1/millwright/node/allocations?node=${own}`, own);
    expect(JSON.parse(text)).toMatchObject({ Allocations: [{ ID: id, JobID: "web", DesiredStatus: "run" }] });
    expect(index).toBeGreaterThan(0);
    const job = await ask(`GET /v1/millwright/node/job?node=${own}&namespace=default&job=web&version=0`, own);
    expect(JSON.parse(job.text)).toMatchObject({ ID: "web", TaskGroups: [{ Name: "web" }] });
    expect(job.text).not.toContain("Gates");
  });

  test("waits for a change of its list, which comes at once", async () => {
    await running();
    const { index } = await ask(`GET /v1/millwright/node/allocations?node=${own}`, own);
    const waiting = ask(`GET /v1/millwright/node/allocations?node=${own}&index=${index}&wait=60s`, own);
    await cluster.commands.deregisterJob("default", web.id, { purge: false });
    expect(JSON.parse((await waiting).text)).toMatchObject({ Allocations: [{ DesiredStatus: "stop" }] });
  });

  test("that has not registered is told so, that it may do it again", async () => {
    expect(await ask(`GET /v1/millwright/node/allocations?node=${own}`, own)).toMatchObject({ status: 404 });
  });

  test("of another region is told with which flag it belongs here", async () => {
    const body = { ...sampleRegistration(own), Region: "apac" };
    const { status, text } = await ask("PUT /v1/millwright/node/register", own, body);
    expect({ status, text }).toEqual({ status: 400, text: expect.stringContaining("-region=global") });
  });
});

test("a node cannot send the server's requests elsewhere by the address that it registers", async () => {
  const body = sampleRegistration(own, { HTTPAddress: "127.0.0.1:8500/v1/kv/x?" });
  const { status, text } = await ask("PUT /v1/millwright/node/register", own, body);
  expect({ status, text }).toEqual({ status: 400, text: expect.stringContaining("no IP address with a port") });
});

describe("a node's token is for that node alone:", () => {
  const lines = [
    { name: "another's allocations", line: `GET /v1/millwright/node/allocations?node=${other}` },
    { name: "another's jobs", line: `GET /v1/millwright/node/job?node=${other}&job=web&version=0` },
    { name: "another's registration", line: "PUT /v1/millwright/node/register", body: sampleRegistration(other) },
    {
      name: "another's name",
      line: "PUT /v1/millwright/node/register",
      body: sampleRegistration(own, { Name: `name-of-${other}` }),
    },
    { name: "another's updates", line: "PUT /v1/millwright/node/updates", body: { NodeID: other, Updates: [] } },
    {
      name: "another's identities",
      line: "PUT /v1/millwright/node/identity",
      body: { NodeID: other, AllocationID: own, Task: "api", Name: "default" },
    },
  ];
  test.each(lines)("$name", async ({ line, body }) => {
    const { status, text } = await ask(line, own, body);
    expect({ status, text }).toEqual({ status: 403, text: expect.stringContaining("Permission denied") });
  });

  test.each(["", "guessed"])("and a token that is no node's (%j) is for nothing", async (token) => {
    expect(await ask(`GET /v1/millwright/node/allocations?node=${own}`, token)).toMatchObject({ status: 403 });
  });

  test("a job that it does not run, it does not see", async () => {
    await running();
    const line = `GET /v1/millwright/node/job?node=${other}&namespace=default&job=web&version=0`;
    expect(await ask(line, other)).toMatchObject({ status: 403 });
  });

  test("updates of another node's allocation are refused as a whole", async () => {
    const id = await running();
    const update = { ID: id, ClientStatus: "complete", ClientDescription: "", TaskStates: {}, Health: null };
    const { status } = await ask("PUT /v1/millwright/node/updates", other, { NodeID: other, Updates: [update] });
    expect(status).toBe(403);
    expect(cluster.context.projection.state.row("client", allocId(id))?.status).not.toBe("complete");
  });
});

describe("the identity of a task", () => {
  const identity = (allocation: string, name = "vault_default", node = own, task = "api") =>
    ask("PUT /v1/millwright/node/identity", node, { NodeID: node, AllocationID: allocation, Task: task, Name: name });

  test("is a token that the published key proves, for the secrets server, with what the task is", async () => {
    const id = await running();
    await publishKey(cluster.context, signer);
    await cluster.context.projection.fresh();
    const { Token, Expires } = JSON.parse((await identity(id)).text) as { Token: string; Expires: number };
    const [header = "", claims = "", signature = ""] = Token.split(".");
    const { kid } = JSON.parse(Buffer.from(header, "base64url").toString()) as { kid: string };
    const jwk = publishedKeys(cluster.context).find((key) => key.kid === kid);
    const key = createPublicKey({ key: { ...jwk }, format: "jwk" });
    expect(verify("sha256", Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, "base64url"))).toBe(true);
    const said = JSON.parse(Buffer.from(claims, "base64url").toString()) as Record<string, unknown>;
    expect(said).toMatchObject({
      aud: "vault.io",
      sub: "global:default:web:web:api:vault_default",
      nomad_namespace: "default",
      nomad_job_id: "web",
      nomad_allocation_id: id,
      nomad_task: "api",
      exp: Expires / 1_000,
    });
  });

  test("of a block has the block's audience", async () => {
    const { Token } = JSON.parse((await identity(await running(), "aws")).text) as { Token: string };
    expect(JSON.parse(Buffer.from(Token.split(".")[1] ?? "", "base64url").toString())).toMatchObject({ aud: "sts" });
  });

  test("is refused for an allocation of another node, and for one that is not there", async () => {
    const id = await running();
    await ask("PUT /v1/millwright/node/register", other, sampleRegistration(other));
    expect(await identity(id, "default", other)).toMatchObject({ status: 403 });
    expect(await identity("00000000-0000-4000-8000-00000000ffff")).toMatchObject({ status: 403 });
  });

  test("is refused for an allocation that is to end, and for one that has ended", async () => {
    const id = await running();
    await cluster.commands.deregisterJob("default", web.id, { purge: false });
    await expect
      .poll(() => cluster.context.projection.state.row("alloc", allocId(id))?.allocation.desired)
      .toBe("stop");
    expect(await identity(id)).toMatchObject({ status: 403 });
  });

  test("is refused by a name, or for a task, that is not there", async () => {
    const id = await running();
    expect(await identity(id, "gcp")).toMatchObject({ status: 404 });
    expect(await identity(id, "default", own, "db")).toMatchObject({ status: 404 });
  });
});
