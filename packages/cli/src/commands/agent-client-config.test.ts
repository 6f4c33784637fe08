import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { outcomeOf } from "../../test/kv-io.ts";
import { parseFlags } from "../flags.ts";
import { runAgent } from "./agent.ts";
import { type AgentPlan, agentFlags, agentPlan } from "./agent-config.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millwright-agent-client-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function planOf(...args: readonly string[]): Promise<AgentPlan | string> {
  const parsed = parseFlags(agentFlags, args, "anywhere");
  if (parsed.kind !== "parsed") throw new Error(JSON.stringify(parsed));
  const got: { plan?: AgentPlan | string } = {};
  await outcomeOf(
    async (io) => {
      got.plan = await agentPlan(parsed.values, io);
      return 0;
    },
    { cwd: folder },
  );
  return got.plan ?? "";
}

async function clientOf(...args: readonly string[]) {
  const plan = await planOf(...args);
  if (typeof plan === "string") throw new Error(plan);
  return { client: plan.config.client, said: plan.diagnostics.map(({ summary }) => summary), config: plan.config };
}

const files = `
name       = "from-the-file"
region     = "apac"
datacenter = "asia-east1"
client {
  servers    = ["10.0.0.1"]
  node_class = "small"
  meta { rack = "r1" }
}
vault {
  address = "http://10.0.0.1:8200"
  jwt_auth_backend_path = "jwt-jobs"
}
`;

describe("an agent's flags about jobs", () => {
  test("without servers of jobs it runs none", async () => {
    expect((await clientOf("-join=10.0.0.5")).client).toBeUndefined();
  });

  test("with them it does, in the datacenter that jobs ask for", async () => {
    const args = ["-nomad-servers=10.0.0.5", "-nomad-servers=10.0.0.6:80", "-nomad-port=0", "-region=apac"];
    const more = ["-datacenter=dc1", "-nomad-datacenter=asia-east1", "-meta=a=b=c", "-driver-raw-exec"];
    const { client, config } = await clientOf(...args, ...more, "-vault-address=http://v:8200");
    expect(config.datacenter).toBe("dc1");
    expect(client).toEqual({
      servers: ["10.0.0.5:4646", "10.0.0.6:80"],
      port: 0,
      region: "apac",
      datacenter: "asia-east1",
      meta: { a: "b=c" },
      drivers: { rawExec: true, docker: {} },
      vault: { address: "http://v:8200" },
    });
  });

  test("files in Nomad's form say the same, from a folder too; flags win", async () => {
    await mkdir(join(folder, "nomad.d"));
    await writeFile(join(folder, "nomad.d", "a.hcl"), files);
    const { client, config, said } = await clientOf(
      "-config=nomad.d",
      "-node-class=large",
      "-vault-address=http://v:1",
    );
    expect(said).toEqual([]);
    expect([config.nodeName, config.datacenter]).toEqual(["from-the-file", undefined]);
    expect(client).toMatchObject({
      servers: ["10.0.0.1:4646"],
      datacenter: "asia-east1",
      nodeClass: "large",
      meta: { rack: "r1" },
      drivers: { docker: {} },
      vault: { address: "http://v:1", mount: "jwt-jobs" },
    });
    const other = await clientOf("-config=nomad.d", "-node=from-the-flag");
    expect(other.config.nodeName).toBe("from-the-flag");
  });

  test("a client that is not enabled is none, and one without servers is a mistake", async () => {
    await writeFile(join(folder, "off.hcl"), 'client {\n enabled = false\n servers = ["a"]\n}');
    await writeFile(join(folder, "on.hcl"), "client {\n enabled = true\n}");
    expect((await clientOf("-config=off.hcl")).client).toBeUndefined();
    expect((await clientOf("-config=on.hcl")).said).toEqual(["The client has no servers of jobs"]);
  });

  const mistakes = [
    { name: "a port that is none", input: ["-nomad-servers=a", "-nomad-port=70000"], want: /-nomad-port=70000/ },
    {
      name: "metadata without a value",
      input: ["-nomad-servers=a", "-meta=rack"],
      want: /-meta=rack: write KEY=VALUE/,
    },
  ];
  for (const { name, input, want } of mistakes)
    test(`${name} is said`, async () => expect(await planOf(...input)).toMatch(want));

  test("jobs without a data folder are refused at the start, with what to do", async () => {
    const args = ["-nomad-servers=127.0.0.1:1", "-http-port=0", "-dns-port=-1"];
    const { code, err } = await outcomeOf((io) => runAgent(args, io), { cwd: folder });
    expect([code, err]).toEqual([1, expect.stringContaining("Give one with -data-dir.")]);
  });
});
