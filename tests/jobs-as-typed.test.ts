import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { indexIn, Talk } from "./support/talk.ts";

/* The talk's first job file, as it is, by the talk's lines. Those of several instances take longer: jobs-by-count.faults.ts. */

let talk: Talk;
beforeAll(async () => {
  talk = await Talk.start();
}, 120_000);
afterAll(() => talk?.close(), 120_000);

describe("myapp.job", () => {
  test("nomad plan shows what would change and the scheduler's dry run, and changes nothing", async () => {
    talk.use("myapp.job");
    const { code, out } = await talk.typed("nomad plan myapp.job");
    expect(code).toBe(1);
    expect(out).toContain('+ Job: "myapp"');
    expect(out).toContain('+ Task Group: "myapp" (1 create)');
    expect(out).toContain('+ Task: "api" (forces create)');
    expect(out).toContain('+ Task: "web" (forces create)');
    expect(out).toContain("- All tasks successfully allocated.");
    expect(out).toContain("Job Modify Index: 0");
    expect(out).toMatch(/run -check-index 0 myapp\.job/);
    expect((await talk.typed("nomad status")).out).toMatch(/No running jobs/i);
  });

  test("nomad run with the index of the plan runs it, and with another does not", async () => {
    const refused = await talk.typed("nomad run -check-index 7 myapp.job");
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.err + refused.out).toContain("Enforcing job modify index 7: job does not exist");
    expect(refused.err + refused.out).toContain("Job not updated");
    expect((await talk.typed("nomad status")).out).toMatch(/No running jobs/i);
    const ran = await talk.typed("nomad run -check-index 0 myapp.job");
    expect(ran, ran.out + ran.err).toMatchObject({ code: 0 });
    expect(await talk.healthy("myapp", "api")).toBe(1);
    expect(await talk.healthy("myapp", "web")).toBe(1);
    const again = await talk.typed("nomad plan myapp.job");
    expect(again.code).toBe(0);
    const index = indexIn(again.out);
    const stale = await talk.typed(`nomad run -check-index ${Number(index) - 1} myapp.job`);
    expect(stale.out + stale.err).toContain(`job exists with conflicting job modify index: ${index}`);
  }, 60_000);

  test("nomad alloc-status --verbose tells of the allocation, its placement, and its tasks", async () => {
    const id =
      /^([0-9a-f]{8}) /m.exec((await talk.typed("nomad status myapp")).out.split("Allocations")[1] ?? "")?.[1] ?? "";
    const { code, out } = await talk.typed(`nomad alloc-status --verbose ${id}`);
    expect(code).toBe(0);
    for (const name of ["ID", "Eval ID", "Client Status", "Evaluated Nodes", "Filtered Nodes", "Exhausted Nodes"])
      expect(out).toMatch(new RegExp(`^${name} +=`, "m"));
    expect(out).toMatch(/^Allocation Time +=/m);
    expect(out).toMatch(/^Failures +=/m);
    expect(out).toMatch(/Task "api" is "running"/);
    expect(out).toMatch(/Task "web" is "running"/);
    expect(out).toMatch(/500 MHz/);
    expect(out).toMatch(/256 MiB/);
    expect(out).toMatch(/127\.0\.0\.1:\d+/);
    expect((await talk.typed("nomad stop -purge myapp")).code).toBe(0);
    await expect.poll(() => talk.healthy("myapp", "api"), { timeout: 20_000 }).toBe(0);
  }, 60_000);
});

describe("a job that fits nowhere", () => {
  test("says which dimension is exhausted, and on how many nodes", async () => {
    talk.use("myapp.job", (text) => text.replaceAll("memory = 256", "memory = 256000"));
    const { code, out } = await talk.typed("nomad plan myapp.job");
    expect(code).toBe(1);
    expect(out).toContain("WARNING: Failed to place all allocations.");
    expect(out).toMatch(/Dimension "memory" exhausted on 1 nodes/);
  });
});
