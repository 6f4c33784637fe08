import type { Provider } from "@millwright/provider/protocol";
import { configureForTest, contractViolations } from "@millwright/provider/testing/contract";
import { objectFor, plainOf } from "@millwright/provider/testing/objects";
import { isNull } from "@millwright/value/value";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { JobDrive } from "../../test/job-drive.ts";
import { jobFile, nomadLives } from "../../test/nomad-lives.ts";
import { type NomadServer, startNomad } from "../../test/nomad-server.ts";
import { nomadProvider } from "./provider.ts";

let nomad: NomadServer;
let provider: Provider;

beforeEach(async () => {
  nomad = await startNomad(["n1", "n2"]);
  provider = nomadProvider({ NOMAD_ADDR: nomad.address }).start();
  await configureForTest(provider);
});
afterEach(async () => {
  await provider.close();
  await nomad.close();
});

test.each(nomadLives)("life $# of a $type keeps the provider contract, and leaves nothing", async (life) => {
  expect(await contractViolations(provider, life)).toEqual([]);
  expect(await nomad.api.json("GET /v1/jobs")).toEqual([]);
});

describe("data sources tell what the server says", () => {
  const read = async (type: string, config: Readonly<Record<string, unknown>> = {}) => {
    const schema = (await provider.schema()).dataSources.get(type)!;
    const { state, diagnostics } = await provider.readDataSource({ type, config: objectFor(schema.block, config) });
    return { diagnostics, plain: isNull(state) ? undefined : plainOf(schema.block, state) };
  };
  beforeEach(async () => {
    const drive = await JobDrive.of(provider);
    await drive.apply({ jobspec: jobFile("web", { group: "count = 2" }), detach: false });
  });

  test("of a job", async () => {
    const { plain } = await read("nomad_job", { job_id: "web" });
    expect(plain).toMatchObject({ id: "web", namespace: "default", name: "web", version: 0, datacenters: ["*"] });
    expect(plain).toMatchObject({ task_groups: [{ name: "web", count: 2 }], status: "running", parent_id: "" });
    const { diagnostics } = await read("nomad_job", { job_id: "shop" });
    expect(diagnostics).toMatchObject([{ severity: "error", summary: "No such job" }]);
  });

  test("of allocations, with a filter", async () => {
    const { plain } = await read("nomad_allocations", { filter: 'JobID == "web" and Name matches "1"' });
    expect(plain).toMatchObject({ id: "1462121430", namespace: null });
    expect((plain as { allocations: unknown }).allocations).toMatchObject([
      { name: "web.web[1]", client_status: "running", job_version: 0, task_group: "web" },
    ]);
    expect((await read("nomad_allocations", { filter: "JobID" })).diagnostics).toMatchObject([{ severity: "error" }]);
  });

  test("of nodes", async () => {
    const { plain } = await read("nomad_nodes", { filter: 'Name == "name-of-n2"', resources: true });
    const [node] = (plain as { nodes: readonly Record<string, unknown>[] }).nodes;
    expect(node).toMatchObject({ id: "n2", datacenter: "dc1", status: "ready", scheduling_eligibility: "eligible" });
    expect(node!.drivers).toContainEqual(expect.objectContaining({ name: "raw_exec", healthy: true }));
    expect(node!.node_resources).toMatchObject([{ cpu: [{ cpu_shares: expect.any(Number) }], memory: [{}] }]);
    expect((await read("nomad_nodes")).plain).toMatchObject({ nodes: [{ node_resources: [] }, {}] });
    const { diagnostics } = await read("nomad_node", { node_id: "0a1b2c3d-0000-4000-8000-000000000001" });
    expect(diagnostics).toMatchObject([{ summary: "No such node" }]);
  });

  test("of deployments, datacenters and regions", async () => {
    expect((await read("nomad_deployments")).plain).toMatchObject({
      deployments: [{ JobID: "web", JobVersion: "0", Status: "successful" }],
    });
    expect((await read("nomad_datacenters")).plain).toMatchObject({ datacenters: ["dc1"] });
    expect((await read("nomad_datacenters", { prefix: "x" })).plain).toMatchObject({ datacenters: [] });
    expect((await read("nomad_regions")).plain).toMatchObject({ regions: ["global"] });
  });
});
