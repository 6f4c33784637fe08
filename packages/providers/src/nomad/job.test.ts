import type { Clock } from "@millwright/core/ports";
import { systemClock } from "@millwright/core/ports";
import type { Provider } from "@millwright/provider/protocol";
import { configureForTest } from "@millwright/provider/testing/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { JobDrive } from "../../test/job-drive.ts";
import { jobFile } from "../../test/nomad-lives.ts";
import { type NomadServer, startNomad } from "../../test/nomad-server.ts";
import { nomadProvider } from "./provider.ts";

let nomad: NomadServer;
let provider: Provider;
let job: JobDrive;

/** A clock on which waiting is soon over. */
const hasty: Clock = {
  ...systemClock,
  monotonic: () => systemClock.monotonic() * 100,
  sleep: (milliseconds, signal) => systemClock.sleep(milliseconds / 100, signal),
};

async function open(outcome: "well" | "unhealthy" = "well", clock: Clock = systemClock): Promise<void> {
  nomad = await startNomad(["n1"], outcome);
  provider = nomadProvider({ NOMAD_ADDR: nomad.address }, clock).start();
  await configureForTest(provider);
  job = await JobDrive.of(provider);
}
async function close(): Promise<void> {
  await provider.close();
  await nomad.close();
}
beforeEach(() => open());
afterEach(close);

const web = (group = "", rest = "") => ({ jobspec: jobFile("web", { group, rest }), detach: false });

describe("the plan of a job", () => {
  test("shows what differs and the scheduler's dry run, and starts nothing", async () => {
    const { action, notes, said, plain } = await job.plan(web("count = 2"));
    expect([action, said]).toEqual(["create", []]);
    expect(notes).toEqual([
      '+ Job: "web"',
      '+ Task Group: "web" (2 create)',
      '  + Task: "server" (forces create)',
      "",
      "Scheduler dry-run:",
      "- All tasks successfully allocated.",
    ]);
    expect(plain).toMatchObject({ id: undefined, name: "web", namespace: "default", modify_index: undefined });
    expect(plain.task_groups).toMatchObject([
      { name: "web", count: 2, task: [{ name: "server", driver: "raw_exec" }] },
    ]);
    expect(await nomad.api.json("GET /v1/jobs")).toEqual([]);
    expect(await nomad.api.json("GET /v1/evaluations")).toEqual([]);
  });

  test("warns of what would find no place, with the dimension and how many nodes", async () => {
    const { said, details, notes } = await job.plan({
      jobspec: jobFile("web", { task: "resources {\n memory = 999999\n}" }),
    });
    expect(said).toEqual(['warning: Not all of "web" would find a place']);
    expect(details).toContain('Dimension "memory" exhausted on 1 nodes');
    expect(notes).toContain("- WARNING: Failed to place all allocations.");
  });

  test("goes on without a server, with a warning", async () => {
    const away = nomadProvider({ NOMAD_ADDR: "http://127.0.0.1:1" }).start();
    await configureForTest(away);
    const { said, details, plain, notes } = await (await JobDrive.of(away)).plan(web());
    expect(said).toEqual(['warning: No dry run of "web"']);
    expect(details).toMatch(/connection refused.*The address comes from NOMAD_ADDR\.\nIt is planned/s);
    expect([plain.name, notes]).toEqual(["web", []]);
    await away.close();
  });

  test("refuses what the server would refuse", async () => {
    const { said, details } = await job.plan(web("", 'namespace = "nowhere"'));
    expect(said).toEqual(["error: Cannot plan nomad_job"]);
    expect(details).toContain("nowhere");
  });

  test("asks nobody while the jobspec or its variables are not known", async () => {
    for (const open of [{ jobspec: undefined }, { ...web(), hcl2: [{ vars: { a: undefined } }] }]) {
      const { plain, said, notes } = await job.plan(open);
      expect([plain.id, plain.task_groups, said, notes]).toEqual([undefined, undefined, [], []]);
    }
  });

  test("changes nothing for the same job in other words, and asks nobody", async () => {
    await job.apply(web());
    await close();
    const planned = await job.plan({ ...web(), jobspec: `# the same\n${web().jobspec}` });
    expect([planned.action, planned.said]).toEqual(["none", []]);
    await open();
  });

  test("says what is wrong with a jobspec, and on which line", async () => {
    const unread = await job.plan({ jobspec: 'job "web" {\n  grup "x" {}\n}' });
    expect(unread.said).toEqual(["error: Unsupported block type"]);
    expect(unread.details).toMatch(/line 2 of the jobspec/);
    const unset = await job.plan({ jobspec: `variable "n" {}\n${jobFile("web")}`, hcl2: [{ vars: { m: "1" } }] });
    expect(unset.said).toEqual(["error: Unset variable", "error: Undefined variable"]);
    expect((await job.plan({ jobspec: "{", json: true })).said).toEqual(["error: The jobspec is not JSON"]);
    const files = { jobspec: jobFile("web", { task: 'env {\n A = file("package.json")\n}' }) };
    expect((await job.plan(files)).details).toMatch(/filesystem function disabled/);
    expect((await job.plan({ ...files, hcl2: [{ allow_fs: true }] })).said).toEqual([]);
  });
});

describe("what somebody else changed", () => {
  const scale = (count: number) => nomad.api.json("PUT /v1/job/web/scale", { Count: count, Target: { Group: "web" } });

  test("between plan and apply is refused", async () => {
    await job.apply(web());
    const planned = await job.plan(web("count = 3"));
    await scale(2);
    const { said, details } = await planned.apply();
    expect(said).toEqual(['error: The job "web" was changed meanwhile']);
    expect(details).toContain("Enforcing job modify index");
    expect(await nomad.api.json("GET /v1/job/web")).toMatchObject({ TaskGroups: [{ Count: 2 }] });
  });

  test("is refused where a job of that id has appeared since", async () => {
    const planned = await job.plan(web());
    const other = await JobDrive.of(provider);
    await other.apply(web("count = 2"));
    expect((await planned.apply()).said).toEqual(['error: The job "web" was changed meanwhile']);
  });

  test("is put back by the next plan, which shows it", async () => {
    await job.apply(web());
    await scale(2);
    await job.refresh();
    const planned = await job.plan(web());
    expect([planned.action, planned.notes[2]]).toEqual(["update", expect.stringMatching(/Count: +"2" => "1"/)]);
    await planned.apply();
    expect(await nomad.api.json("GET /v1/job/web")).toMatchObject({ TaskGroups: [{ Count: 1 }] });
  });

  test("is left as it is, of counts, where they are to be preserved", async () => {
    await job.apply({ ...web(), preserve_counts: true });
    await scale(3);
    await job.refresh();
    expect((await job.plan({ ...web(), preserve_counts: true })).action).toBe("none");
    const other = { ...web("", "priority = 70"), preserve_counts: true };
    const planned = await job.plan(other);
    expect(planned.plain.task_groups).toMatchObject([{ count: 3 }]);
    expect((await planned.apply()).plain).toMatchObject({ priority: 70, task_groups: [{ count: 3 }] });
  });

  test("is left as it is where the job was stopped, unless it is to be rerun", async () => {
    await job.apply(web());
    await nomad.api.json("DELETE /v1/job/web");
    for (let i = 0; (await job.refresh()).plain.status !== "dead" && i < 50; i++) await systemClock.sleep(20);
    expect((await job.plan(web())).action).toBe("none");
    const rerun = await job.plan({ ...web(), rerun_if_dead: true });
    expect(rerun.action).toBe("update");
    expect((await rerun.apply()).plain).toMatchObject({ stop: false, status: "running" });
  });
});

describe("detach = false", () => {
  test("waits for the deployment, and tells of it", async () => {
    const { plain } = await job.apply(web("count = 3"));
    expect(plain).toMatchObject({ deployment_status: "successful", status: "running" });
    expect(await nomad.api.json(`GET /v1/deployment/${plain.deployment_id}`)).toMatchObject({
      TaskGroups: { web: { HealthyAllocs: 3 } },
    });
  });

  test("fails with the deployment that failed and the allocations that are not well; what is there is kept", async () => {
    await close();
    await open("unhealthy");
    const { said, details, plain } = await job.apply(web());
    expect(said).toEqual(['error: The deployment of "web" failed']);
    expect(details).toMatch(/Group "web": 0 of 1 healthy\.\nAllocation \w{8} \(web\.web\[0\]\) on name-of-n1 is/);
    expect(plain).toMatchObject({ id: "web" });
  });

  test("ends with its timeout, and says why there is no place", async () => {
    const big = { jobspec: jobFile("web", { task: "resources {\n memory = 999999\n}" }), detach: false };
    const { said, details } = await job.apply({ ...big, timeouts: { create: "1s" } });
    expect(said).toContain('error: "web" is not healthy after 1 s');
    expect(details).toContain('Dimension "memory" exhausted on 1 nodes');
  });

  test("leaves canaries to whoever decides of them", async () => {
    const canary = (env: string) => ({
      ...web('update {\n canary = 1\n min_healthy_time = "0s"\n}'),
      jobspec: jobFile("web", {
        group: 'update {\n canary = 1\n min_healthy_time = "0s"\n}',
        task: `env {\n A = "${env}"\n}`,
      }),
    });
    await job.apply(canary("1"));
    const { said, plain } = await job.apply(canary("2"));
    expect(said).toEqual(['warning: "web" waits for somebody to decide']);
    expect(plain.deployment_status).toBe("running");
  });
});

describe("the end of a job", () => {
  test("comes when its tasks have ended; a purged one is forgotten", async () => {
    await job.apply({ ...web("count = 4"), purge_on_destroy: true });
    expect(nomad.api.cluster.nodes.get("n1")!.running).toHaveLength(4);
    expect((await job.destroy()).said).toEqual([]);
    expect(nomad.api.cluster.nodes.get("n1")!.running).toEqual([]);
    expect(await nomad.api.json("GET /v1/jobs")).toEqual([]);
  });

  test("is waited for as long as the tasks may take, and what is still there is told", async () => {
    await close();
    await open("well", hasty);
    await job.apply(web());
    await nomad.api.cluster.nodes.get("n1")!.cut();
    const { said, details } = await job.destroy();
    expect(said).toEqual(['warning: Tasks of "web" have not ended yet']);
    expect(details).toMatch(/\(web\.web\[0\]\) on name-of-n1/);
  });

  test("does not come with deregister_on_destroy = false", async () => {
    await job.apply({ ...web(), deregister_on_destroy: false });
    await job.destroy();
    expect(await nomad.api.json("GET /v1/job/web")).toMatchObject({ Stop: false });
  });

  test("comes with another id, unless the old one is to stay", async () => {
    await job.apply(web());
    const named = { jobspec: jobFile("shop"), detach: false };
    expect((await job.plan(named)).action).toBe("replace");
    const beside = await job.plan({ ...named, deregister_on_id_change: false });
    expect(beside.action).toBe("update");
    expect((await beside.apply()).plain.id).toBe("shop");
    expect(await nomad.api.json("GET /v1/jobs")).toMatchObject([{ ID: "shop" }, { ID: "web", Stop: false }]);
  });
});
