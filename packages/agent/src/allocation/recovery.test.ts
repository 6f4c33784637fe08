import { readFileSync, rmSync } from "node:fs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AllocationBench, jobOf, port, shellTask as task } from "../../test/allocation-bench.ts";

let bench: AllocationBench;
beforeEach(async () => {
  bench = await AllocationBench.open();
});
afterEach(() => bench.close());

const until = (check: () => void) => vi.waitFor(check, { timeout: 20_000, interval: 20 });
const statusOf = (id: string) => bench.update(id)?.ClientStatus;
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

test("a task lives on without its agent, and is found again", async () => {
  const line = "echo up; i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done";
  const id = bench.run(jobOf(task("main", line, `service { port = "http" }`)), { Ports: [port("http", 4711)] });
  await until(() => expect(bench.output(id)).toContain("3\n"));
  await bench.closeAgent();
  const before = bench.output(id).length;
  await pause(200);
  bench.reports.length = 0;
  await bench.reopen();
  bench.setAgain();
  await until(() => expect(statusOf(id)).toBe("running"));
  await until(() => expect(bench.output(id).length).toBeGreaterThan(before));
  expect(bench.output(id).match(/up/g)).toHaveLength(1);
  expect(bench.services.story).toEqual(["+ shop-web-main"]);
  bench.change(id, { DesiredStatus: "stop" });
  await until(() => expect(statusOf(id)).toBe("complete"));
});

test("a task that ended meanwhile has its true exit code, and its restart policy goes on", async () => {
  const group = `restart { attempts = 0 }\n${task("main", "sleep 0.3; echo last; exit 7")}`;
  const id = bench.run(jobOf(group));
  await until(() => expect(statusOf(id)).toBe("running"));
  await bench.closeAgent();
  await pause(600);
  await bench.reopen();
  await until(() => expect(statusOf(id)).toBe("failed"));
  expect(bench.events(id)).toEqual(expect.arrayContaining(["Terminated: Exit Code: 7"]));
  await until(() => expect(bench.output(id)).toBe("last\n"));
});

test("the services of a task that is found ended leave", async () => {
  const own = `service { name = "own"
    port = "http" }`;
  const group = `restart { attempts = 0 }
    ${own.replace("own", "group")}
    ${task("main", "sleep 0.5; exit 1", own)}`;
  const id = bench.run(jobOf(group), { Ports: [port("http", 4711)] });
  await until(() => expect(bench.services.registered.size).toBe(2));
  await bench.closeAgent();
  await pause(800);
  expect(bench.services.registered.size).toBe(2);
  await bench.reopen();
  await until(() => expect(statusOf(id)).toBe("failed"));
  await until(() => expect(bench.services.registered.size).toBe(0));
  expect(bench.services.story.toSorted()).toEqual(["+ group", "+ own", "- group", "- own"]);
});

test("a task's token goes on being kept, and is revoked when the task is found ended", async () => {
  bench.vault.leaseDuration = 2;
  const id = bench.run(jobOf(task("main", "sleep 2; exit 0", "vault {}"), `type = "batch"`));
  await until(() => expect(statusOf(id)).toBe("running"));
  await bench.closeAgent();
  await bench.reopen();
  await until(() => expect(bench.vault.story).toContain("renew-self token-1"));
  await bench.closeAgent();
  await pause(700);
  expect(bench.vault.alive).toEqual(new Set(["token-1"]));
  await bench.reopen();
  await until(() => expect(bench.vault.alive).toEqual(new Set()));
  await until(() => expect(statusOf(id)).toBe("complete"));
});

test("templates are followed on, and the credential in them stays the one that the task has", async () => {
  bench.consul.put("app/colour", "red");
  const data = '{{ key "app/colour" }} {{ with secret "database/creds/app" }}{{ .Data.username }}{{ end }}';
  const template = `vault {}
    template { data = ${JSON.stringify(data)}
      destination = "secrets/app.conf"
      splay = "0s"
      wait { min = "10ms"
        max = "20ms" } }`;
  const id = bench.run(jobOf(task("main", "cat secrets/app.conf; echo; exec sleep 100", template)));
  await until(() => expect(bench.output(id)).toBe("red user-2\n"));
  await bench.closeAgent();
  await bench.reopen();
  bench.setAgain();
  await pause(500);
  expect(bench.update(id)?.TaskStates["main"]).toMatchObject({ State: "running", Restarts: 0 });
  expect(bench.vault.story.filter((call) => call.startsWith("read"))).toHaveLength(1);
  bench.consul.put("app/colour", "green");
  await until(() => expect(bench.output(id)).toBe("red user-2\ngreen user-2\n"));
  await bench.closeAgent();
  bench.consul.put("app/colour", "blue");
  await bench.reopen();
  bench.setAgain();
  await until(() => expect(bench.output(id)).toBe("red user-2\ngreen user-2\nblue user-2\n"));
});

test("what is not found again begins anew only when the servers have said that it still is to run", async () => {
  const job = jobOf(`restart { delay = "10ms" }\n${task("main", "echo up; exec sleep 100")}`);
  const [kept, moved] = [bench.run(job), bench.run(job)];
  for (const id of [kept, moved]) await until(() => expect(statusOf(id)).toBe("running"));
  const pids = [kept, moved].map((id) => bench.pidOf(id));
  await bench.closeAgent();
  // As when the machine was started anew: the tasks are gone, and nobody has seen their end.
  for (const pid of pids) process.kill(pid, "SIGKILL");
  for (const id of [kept, moved])
    rmSync(bench.path(id, ".millwright", "main", "run.1"), { recursive: true, maxRetries: 5 });
  await bench.reopen();
  await until(() => expect(bench.events(kept).join("\n")).toContain("Restore Failed: Nothing is known of the task"));
  await pause(300);
  expect([kept, moved].map((id) => bench.output(id))).toEqual(["up\n", "up\n"]);
  bench.forget(moved);
  await until(() => expect(bench.output(kept)).toBe("up\nup\n"));
  await until(() => expect(statusOf(moved)).toBe("complete"));
  expect(bench.output(moved)).toBe("up\n");
});

test("a health that was proved stays so", async () => {
  const quick = `update { min_healthy_time = "50ms" }`;
  const id = bench.run(jobOf(`${quick}\n${task("main", "exec sleep 100")}`));
  await until(() => expect(bench.update(id)?.Health).toMatchObject({ Healthy: true }));
  const { At } = bench.update(id)!.Health!;
  await bench.closeAgent();
  await bench.reopen();
  await until(() => expect(bench.update(id)?.Health).toEqual({ Healthy: true, At, Why: "" }));
});

test("a pause between two starts goes on where it was, and what never began begins", async () => {
  const group = `restart { delay = "700ms"
    attempts = 1 }\n${task("main", "echo up; exit 1")}`;
  const id = bench.run(jobOf(group));
  await until(() => expect(bench.events(id).at(-1)).toMatch(/^Restarting: /));
  await bench.closeAgent();
  await bench.reopen();
  bench.setAgain();
  await until(() => expect(bench.output(id)).toBe("up\nup\n"));
  await until(() => expect(statusOf(id)).toBe("failed"));
});

test("what was ended stays ended, and its folder goes when nobody asks for it any more", async () => {
  const id = bench.run(jobOf(task("main", "echo done"), `type = "batch"`));
  await until(() => expect(statusOf(id)).toBe("complete"));
  await until(() => expect(bench.allocations.get(id)?.tasks.get("main")?.handle).toBeUndefined());
  await bench.closeAgent();
  await bench.reopen();
  bench.setAgain();
  await pause(100);
  expect(bench.output(id)).toBe("done\n");
  expect(bench.allocations.ids()).toEqual([id]);
  bench.forget(id);
  await vi.waitFor(async () => {
    await bench.allocations.collectGarbage(id);
    expect(bench.allocations.ids()).toEqual([]);
  });
  expect(() => readFileSync(bench.path(id, "state.json"))).toThrow("ENOENT");
});

test("where everything is to end, nothing begins any more", async () => {
  const job = jobOf(task("main", "exec sleep 100"));
  const id = bench.run(job);
  await until(() => expect(statusOf(id)).toBe("running"));
  const ending = bench.allocations.stopAll();
  const late = bench.run(job);
  await ending;
  expect(statusOf(id)).toBe("complete");
  expect(bench.allocations.ids()).toEqual([id]);
  expect(statusOf(late)).toBeUndefined();
});
