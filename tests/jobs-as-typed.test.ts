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

describe("myapp-vault.job", () => {
  const jwks = "http://127.0.0.1:4646/.well-known/jwks.json";
  const bound = `bound_audiences=vault.io bound_claims='{"nomad_job_id": "myapp"}'`;
  const user = "user_claim=/nomad_job_id user_claim_json_pointer=true";

  test("waits, and says for which role, until the operator allows its policies", async () => {
    for (const line of ["vault auth enable -path=jwt-nomad jwt", `vault write auth/jwt-nomad/config jwks_url=${jwks}`])
      expect(await talk.typed(line)).toMatchObject({ code: 0 });
    talk.use("myapp-vault.job");
    expect(await talk.typed("nomad run -detach myapp-vault.job")).toMatchObject({ code: 0 });
    await expect.poll(events, { timeout: 20_000, interval: 500 }).toContain("api-myapp");
  }, 60_000);

  test("runs with a token of just those policies, which ends with it", async () => {
    for (const name of ["api", "myapp"])
      await talk.typed(`echo 'path "secret/data/${name}" { capabilities = ["read"] }' | vault policy write ${name} -`);
    const role = `vault write auth/jwt-nomad/role/api-myapp role_type=jwt ${bound} ${user} token_policies=api,myapp`;
    expect(await talk.typed(role)).toMatchObject({ code: 0 });
    await expect.poll(() => talk.healthy("myapp", "api"), { timeout: 60_000, interval: 500 }).toBe(1);
    const task = "$(ls -d agent/alloc/*/api/secrets)/vault_token";
    const lookup = await talk.typed(`cp ${task} task-token && VAULT_TOKEN=$(cat task-token) vault token lookup`);
    expect(lookup.out).toMatch(/^policies +\[api default myapp\]$/m);
    await talk.typed("nomad stop -purge myapp");
    const after = () => talk.typed("VAULT_TOKEN=$(cat task-token) vault token lookup");
    await expect.poll(async () => (await after()).code, { timeout: 20_000, interval: 500 }).not.toBe(0);
  }, 120_000);

  async function events(): Promise<string> {
    const { out } = await talk.typed("nomad status myapp");
    const id = /^([0-9a-f]{8}) /m.exec(out.split("Allocations")[1] ?? "")?.[1];
    return id === undefined ? "" : (await talk.typed(`nomad alloc-status ${id}`)).out;
  }
});
