import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { AllocationBench, jobOf, port, shellTask as task } from "../../test/allocation-bench.ts";

let bench: AllocationBench;
beforeEach(async () => {
  bench = await AllocationBench.open();
});
afterEach(() => bench.close());

const until = (check: () => void) => vi.waitFor(check, { timeout: 20_000, interval: 20 });
const statusOf = (id: string) => bench.update(id)?.ClientStatus;
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const rest = "exec sleep 100";
const quick = `update { min_healthy_time = "100ms"
  healthy_deadline = "30s" }`;
const check = `check { type = "http"
  path = "/health.txt"
  interval = "10s"
  timeout = "2s" }`;

describe("services", () => {
  test("are registered when their task runs, and leave before it is asked to end", async () => {
    const service = `service { name = "\${TASKGROUP}"
      port = "http"
      tags = ["on-\${node.unique.name}", "\${NOMAD_ALLOC_INDEX}"]
      ${check} }`;
    const own = service.replaceAll("${TASKGROUP}", "own-${NOMAD_GROUP_NAME}");
    const group = `${service}\n shutdown_delay = "300ms"\n${task("main", rest, own)}`;
    const id = bench.run(jobOf(group), { Ports: [port("http", 4711)] });
    await until(() => expect(bench.services.story).toEqual(["+ own-web", "+ web"]));
    expect([...bench.services.registered.values()]).toEqual([
      expect.objectContaining({ ID: `_nomad-task-${id}-main-own-web-http`, Address: "127.0.0.1", Port: 4711 }),
      expect.objectContaining({
        ID: `_nomad-task-${id}-group-web-web-http`,
        Tags: ["on-node-1", "0"],
        Checks: [
          expect.objectContaining({ HTTP: "http://127.0.0.1:4711/health.txt", Interval: "10s", Status: "critical" }),
        ],
      }),
    ]);
    bench.change(id, { DesiredStatus: "stop" });
    await until(() => expect(bench.services.story).toContain("- web"));
    await pause(100);
    expect(bench.update(id)?.TaskStates["main"]).toMatchObject({ State: "running" });
    await until(() => expect(statusOf(id)).toBe("complete"));
    expect(bench.services.story).toEqual(["+ own-web", "+ web", "- web", "- own-web"]);
  });

  test("of a task leave before its own pause, and the task ends after that", async () => {
    const more = `shutdown_delay = "400ms"
      service { name = "own"
        port = "http" }`;
    const id = bench.run(jobOf(task("main", rest, more)), { Ports: [port("http", 4711)] });
    await until(() => expect(bench.services.story).toEqual(["+ own"]));
    bench.change(id, { DesiredStatus: "stop" });
    await until(() => expect(bench.services.story).toEqual(["+ own", "- own"]));
    expect(bench.update(id)?.TaskStates["main"]).toMatchObject({ State: "running" });
    await until(() => expect(statusOf(id)).toBe("complete"));
    const delay = "Waiting for shutdown delay: Waiting for shutdown_delay of 400ms before killing the task.";
    expect(bench.events(id)).toContain(delay);
  });

  test("leave when their task ends, and come back with it", async () => {
    const group = `restart { delay = "200ms"
      attempts = 3 }
      ${task("main", "sleep 0.3; exit 1", `service { port = "http" }`)}`;
    bench.run(jobOf(group), { Ports: [port("http", 4711)] });
    await until(() =>
      expect(bench.services.story.slice(0, 3)).toEqual(["+ shop-web-main", "- shop-web-main", "+ shop-web-main"]),
    );
  });

  test("that cannot be registered are told, and nothing runs", async () => {
    const group = `restart { attempts = 0 }
      service { name = "no_\${NOMAD_JOB_NAME}"
        port = "http" }
      ${task("main", "touch $NOMAD_ALLOC_DIR/data/ran")}`;
    const id = bench.run(jobOf(group), { Ports: [port("http", 4711)] });
    await until(() => expect(statusOf(id)).toBe("failed"));
    expect(bench.events(id).join("\n")).toContain('Setup Failure: "no_shop" is no name for a service');
    expect(() => readFileSync(bench.path(id, "alloc", "data", "ran"))).toThrow("ENOENT");
  });

  test("whose check fails for long have their task started anew", async () => {
    const failing = check.replace('"10s"', '"100ms"').replace(
      "}",
      `check_restart { limit = 3
      grace = "10ms" } }`,
    );
    const group = `restart { delay = "10ms" }
      ${task(
        "main",
        rest,
        `service { name = "app"
        port = "http"
        ${failing} }`,
      )}`;
    const id = bench.run(jobOf(group), { Ports: [port("http", 4711)] });
    await until(() =>
      expect(bench.events(id).join("\n")).toMatch(/Restart Signaled: healthcheck: check "service: .*" unhealthy/),
    );
    await until(() => expect(bench.update(id)?.TaskStates["main"]?.Restarts).toBeGreaterThan(0));
  });
});

describe("the health of an allocation", () => {
  test("is proved when all tasks run and all checks pass for long enough", async () => {
    const service = `service { name = "app"
      port = "http"
      ${check} }`;
    const id = bench.run(jobOf(`${quick}\n${service}\n${task("main", rest)}`), { Ports: [port("http", 4711)] });
    await until(() => expect(bench.services.registered.size).toBe(1));
    await pause(200);
    expect(bench.update(id)?.Health).toBeNull();
    bench.services.say("app", "passing");
    await until(() => expect(bench.update(id)?.Health).toMatchObject({ Healthy: true }));
    bench.services.say("app", "critical");
    await pause(50);
    expect(bench.update(id)?.Health).toMatchObject({ Healthy: true });
  });

  test("has failed when its deadline passes, and says which check was in the way", async () => {
    const service = `service { name = "app"
      port = "http"
      ${check.replace("type", `name = "app answers"\n type`)} }`;
    const hasty = quick.replace("30s", "400ms");
    const id = bench.run(jobOf(`${hasty}\n${service}\n${task("main", rest)}`), { Ports: [port("http", 4711)] });
    await until(() => expect(bench.update(id)?.Health).toMatchObject({ Healthy: false }));
    expect(bench.update(id)?.Health?.Why).toBe(
      'Not all tasks ran with passing checks within the healthy deadline of 0.4 s: the check "app answers" does not pass',
    );
    expect(bench.events(id).at(-1)).toMatch(/^Alloc Unhealthy: Not all tasks ran/);
  });

  test("has failed as soon as a task has failed for good, and is nobody's business in a batch job", async () => {
    const group = `restart { attempts = 0 }\n${task("main", "exit 1")}`;
    const id = bench.run(jobOf(group));
    await until(() => expect(bench.update(id)?.Health).toMatchObject({ Healthy: false, Why: 'Task "main" failed' }));
    const batch = bench.run(jobOf(task("main", "exit 0"), `type = "batch"`));
    await until(() => expect(statusOf(batch)).toBe("complete"));
    expect(bench.update(batch)?.Health).toBeNull();
  });

  test("is asked anew in another rollout", async () => {
    const id = bench.run(jobOf(`${quick}\n${task("main", rest)}`), { Deployment: { ID: "one", Canary: false } });
    await until(() => expect(bench.update(id)?.Health).toMatchObject({ Healthy: true }));
    bench.change(id, { Deployment: { ID: "two", Canary: false } });
    const proved = bench.reports.findIndex(({ Health }) => Health?.Healthy);
    await until(() => expect(bench.reports.slice(proved).some(({ Health }) => Health === null)).toBe(true));
    await until(() => expect(bench.update(id)?.Health).toMatchObject({ Healthy: true }));
  });
});

describe("templates", () => {
  const template = (data: string, more: string) => `template { data = ${JSON.stringify(data)}
    destination = "local/app.conf"
    splay = "0s"
    wait { min = "10ms"
      max = "20ms" }
    ${more} }`;
  const show = "trap 'echo hup' HUP; echo $COLOUR $(cat local/app.conf); while :; do sleep 0.05; done";

  test("are there before the task starts, which waits for what they read and says so", async () => {
    const id = bench.run(jobOf(task("main", show, template('{{ key "app/colour" }}', ""))));
    await until(() => expect(bench.events(id).join("\n")).toMatch(/^Template: Missing: kv.get\(app\/colour\)\./m));
    expect(statusOf(id)).toBe("pending");
    bench.consul.put("app/colour", "red");
    await until(() => expect(bench.output(id)).toBe("red\n"));
  });

  test.each([
    { mode: "restart", want: "red\ngreen\n", event: "Restart Signaled: Template with change_mode restart re-rendered" },
    { mode: "signal", want: "red\nhup\n", event: "Signaling: Task being sent signal SIGHUP: Template re-rendered" },
    { mode: "noop", want: "red\n", event: "Started: Task started by client" },
  ])("that change take effect by their change mode $mode", async ({ mode, want, event }) => {
    bench.consul.put("app/colour", "red");
    const more = `change_mode = "${mode}"\n change_signal = "SIGHUP"`;
    const id = bench.run(jobOf(task("main", show, template('{{ key "app/colour" }}', more))));
    await until(() => expect(bench.output(id)).toBe("red\n"));
    bench.consul.put("app/colour", "green");
    await until(() => expect(readFileSync(bench.path(id, "main", "local", "app.conf"), "utf8")).toBe("green"));
    await until(() => expect(bench.output(id)).toBe(want));
    await until(() => expect(bench.events(id)).toContain(event));
  });

  test("run a script when they change", async () => {
    bench.consul.put("app/colour", "red");
    const more = `change_mode = "script"
      change_script { command = "/bin/sh"
        args = ["-c", "cat local/app.conf > local/told"] }`;
    const id = bench.run(jobOf(task("main", show, template('{{ key "app/colour" }}', more))));
    await until(() => expect(bench.output(id)).toBe("red\n"));
    bench.consul.put("app/colour", "green");
    await until(() => expect(readFileSync(bench.path(id, "main", "local", "told"), "utf8")).toBe("green"));
  });

  test("of environment set variables", async () => {
    bench.consul.put("app/colour", "red");
    const id = bench.run(jobOf(task("main", show, template('COLOUR="very {{ key "app/colour" }}"', "env = true"))));
    await until(() => expect(bench.output(id)).toContain("very red COLOUR="));
  });

  test("reach nothing outside of the task's folders", async () => {
    const outside = `template { data = "x"
      destination = "local/link/../../../../../escaped" }`;
    const id = bench.run(jobOf(`restart { attempts = 0 }\n${task("main", rest, outside)}`));
    await until(() => expect(statusOf(id)).toBe("failed"));
    expect(bench.events(id).join("\n")).toContain("is outside of the task's folder");
    writeFileSync(`${bench.folder}/secret.txt`, "nobody's business");
    const reading = template(`{{ file "${bench.folder}/secret.txt" }}`, "");
    const reader = bench.run(jobOf(`restart { attempts = 0 }\n${task("main", rest, reading)}`));
    await until(() => expect(statusOf(reader)).toBe("failed"));
  });
});

describe("the token of the secrets server", () => {
  test("is the one of the policies' role, in a file and the environment, and is revoked when the task has ended", async () => {
    bench.vault.policies = ["default", "db", "app"];
    const vault = `vault { policies = ["db", "app"] }`;
    const id = bench.run(
      jobOf(task("main", "echo $VAULT_TOKEN $VAULT_ADDR; cat secrets/vault_token", vault), `type = "batch"`),
    );
    await until(() => expect(statusOf(id)).toBe("complete"));
    await until(() => expect(bench.output(id)).toBe("token-1 http://127.0.0.1:8200\ntoken-1"));
    await until(() =>
      expect(bench.vault.story).toEqual([`login app-db jwt ${id} main vault_default`, "revoke token-1"]),
    );
  });

  test("without the policies that the job asks for is refused, by their names", async () => {
    const group = `restart { attempts = 0 }\n${task("main", rest, `vault { policies = ["db"] }`)}`;
    const id = bench.run(jobOf(group));
    await until(() => expect(statusOf(id)).toBe("failed"));
    expect(bench.events(id).join("\n")).toContain(
      "Setup Failure: The job asks for the policies db, which the secrets server's role auth/jwt-nomad/role/db does not give.",
    );
    expect(bench.vault.alive).toEqual(new Set());
  });

  test("is waited for while the server is away, and no running task minds that", async () => {
    const job = jobOf(task("main", "echo up; exec sleep 100", "vault {}"));
    const before = bench.run(job);
    await until(() => expect(bench.output(before)).toBe("up\n"));
    bench.vault.isDown = true;
    const id = bench.run(job);
    const waiting = "Task Setup: Waiting for a token of the secrets server: Cannot reach http://127.0.0.1:8200.";
    await until(() => expect(bench.events(id)).toContain(waiting));
    bench.vault.isDown = false;
    await until(() => expect(bench.output(id)).toBe("up\n"));
    expect(bench.update(before)?.TaskStates["main"]).toMatchObject({ State: "running", Restarts: 0 });
  });

  test("is revoked as soon as that can be, where the server is away at the task's end", async () => {
    const id = bench.run(jobOf(task("main", "exit 0", "vault {}"), `type = "batch"`));
    await until(() => expect(bench.vault.alive.size).toBe(1));
    bench.vault.isDown = true;
    await until(() => expect(statusOf(id)).toBe("complete"));
    await bench.closeAgent();
    await bench.reopen();
    expect(bench.vault.alive.size).toBe(1);
    bench.vault.isDown = false;
    await until(() => expect(bench.vault.alive).toEqual(new Set()));
    await until(() => expect(existsSync(bench.path(id, "private"))).toBe(false));
  });

  test("is renewed in time, and replaced where it cannot be: then its change mode takes effect", async () => {
    bench.vault.leaseDuration = 1;
    const kept = bench.run(jobOf(task("main", "echo up; exec sleep 100", "vault {}")));
    await until(() => expect(bench.vault.story).toContain("renew-self token-1"));
    expect(bench.update(kept)?.TaskStates["main"]).toMatchObject({ Restarts: 0 });
    bench.vault.renewable = false;
    const replaced = bench.run(jobOf(task("main", "echo $VAULT_TOKEN; exec sleep 100", "vault {}")));
    await until(() => expect(bench.output(replaced).trim().split("\n").length).toBeGreaterThan(1));
    expect(bench.events(replaced)).toContain("Restart Signaled: Vault: new Vault token acquired");
  });

  test("stays the same from start to start of its task", async () => {
    const group = `restart { delay = "10ms"
      attempts = 2 }\n${task("main", "echo $VAULT_TOKEN; exit 1", "vault {}")}`;
    const id = bench.run(jobOf(group));
    await until(() => expect(statusOf(id)).toBe("failed"));
    await until(() => expect(bench.output(id)).toBe("token-1\ntoken-1\ntoken-1\n"));
    await until(() => expect(bench.vault.story.at(-1)).toBe("revoke token-1"));
    expect(bench.vault.alive).toEqual(new Set());
  });
});

test("identities are in the environment and in files", async () => {
  const blocks = `identity { name = "other"
      env = true
      file = true }
    identity { env = true }`;
  const line = "echo $NOMAD_TOKEN; echo $NOMAD_TOKEN_other; cat secrets/nomad_other.jwt";
  const id = bench.run(jobOf(task("main", line, blocks), `type = "batch"`));
  await until(() => expect(statusOf(id)).toBe("complete"));
  await until(() =>
    expect(bench.output(id)).toBe(`jwt ${id} main default\njwt ${id} main other\njwt ${id} main other`),
  );
});
