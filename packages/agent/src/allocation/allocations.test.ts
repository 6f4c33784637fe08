import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { AllocationBench, jobOf, port, shellTask as task } from "../../test/allocation-bench.ts";

let bench: AllocationBench;
beforeEach(async () => {
  bench = await AllocationBench.open();
});
afterEach(() => bench.close());

const patience = { timeout: 20_000, interval: 20 };
const until = (check: () => void) => vi.waitFor(check, patience);
const statusOf = (id: string) => bench.update(id)?.ClientStatus;

const once = `restart { attempts = 0
  mode = "fail" }`;
const batch = `type = "batch"`;

describe("a task", () => {
  test("runs in its folder, with its environment, and ends well", async () => {
    const line = "pwd; env; cat $NOMAD_SECRETS_DIR/none 2>&1; echo $NOMAD_META_COLOUR ${NOMAD_PORT_http}";
    const meta = `meta { colour = "red" }
      env { GREETING = "on \${node.unique.name} in \${meta.rack}" }`;
    const id = bench.run(jobOf(task("main", line, meta), batch), { Ports: [port("http", 4711)] });
    await until(() => expect(statusOf(id)).toBe("complete"));
    await until(() => expect(bench.output(id)).toContain("red 4711"));
    const output = bench.output(id).split("\n");
    expect(output).toEqual(
      expect.arrayContaining([
        bench.path(id, "main"),
        "NOMAD_PORT_http=4711",
        "NOMAD_ADDR_http=127.0.0.1:4711",
        `NOMAD_ALLOC_ID=${id}`,
        "NOMAD_JOB_NAME=shop",
        "NOMAD_GROUP_NAME=web",
        "GREETING=on node-1 in r1",
        `NOMAD_SECRETS_DIR=${bench.path(id, "main", "secrets")}`,
      ]),
    );
    expect(output.join("\n")).not.toContain("the agent's own");
    expect(bench.events(id)).toEqual([
      "Received: Task received by client",
      "Task Setup: Building Task Directory",
      "Started: Task started by client",
      "Terminated: Exit Code: 0",
    ]);
  });

  test("that fails is started again by its policy, and then no more", async () => {
    const policy = `restart { attempts = 2
      interval = "1m"
      delay = "20ms"
      mode = "fail" }`;
    const id = bench.run(jobOf(`${policy}\n${task("main", "exit 7")}`, batch));
    await until(() => expect(statusOf(id)).toBe("failed"));
    expect(bench.update(id)).toMatchObject({
      ClientDescription: "Failed tasks",
      TaskStates: { main: { State: "dead", Failed: true, Restarts: 2 } },
    });
    const events = bench.events(id);
    expect(events.at(-1)).toBe('Not Restarting: Exceeded allowed attempts 2 in interval 1m0s and mode is "fail"');
    expect(events).toHaveLength(10);
    expect(events.filter((event) => event === "Terminated: Exit Code: 7")).toHaveLength(3);
  });

  test("whose program is missing says what and where", async () => {
    const group = `${once}\n task "main" {
      driver = "raw_exec"
      config { command = "no-such-program" }
    }`;
    const id = bench.run(jobOf(group));
    await until(() => expect(statusOf(id)).toBe("failed"));
    expect(bench.events(id)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^Driver Failure: .*no-such-program/),
        "Not Restarting: Policy allows no restarts",
      ]),
    );
  });

  test("whose artifact has another checksum says which", async () => {
    const file = `${bench.folder}/artifact.txt`;
    const artifact = `artifact { source = "file://${file}"
      options { checksum = "sha256:${"0".repeat(64)}" } }`;
    writeFileSync(file, "hello");
    const id = bench.run(jobOf(`${once}\n${task("main", "exec sleep 100", artifact)}`));
    await until(() => expect(statusOf(id)).toBe("failed"));
    expect(bench.events(id).join("\n")).toMatch(/Failed Artifact Download: .*artifact.txt.*\n/s);
  });

  test("of a driver that the node does not have fails at once", async () => {
    const id = bench.run(jobOf(`task "main" { driver = "java" }`));
    await until(() => expect(statusOf(id)).toBe("failed"));
    expect(bench.events(id).join("\n")).toContain('This node has no driver "java". It has raw_exec');
    expect(bench.events(id).at(-1)).toBe("Not Restarting: Error was unrecoverable");
  });

  test("that asks for what no node has is not started without it", async () => {
    const group = `volume "data" { source = "data" }
      ${task(
        "main",
        "exec sleep 100",
        `volume_mount { volume = "data"
        destination = "/data" }`,
      )}`;
    const id = bench.run(jobOf(group));
    await until(() => expect(statusOf(id)).toBe("failed"));
    expect(bench.events(id).join("\n")).toContain(
      'Setup Failure: The task mounts the volume "data". Volumes are not there',
    );
  });

  test("is restarted when somebody asks for it, and gets signals", async () => {
    const line = "trap 'echo hup' HUP; echo up; while :; do sleep 0.05; done";
    const id = bench.run(jobOf(task("main", line)));
    await until(() => expect(bench.output(id)).toBe("up\n"));
    await until(() => expect(statusOf(id)).toBe("running"));
    await bench.allocations.signal(id, "main", "SIGHUP");
    await until(() => expect(bench.output(id)).toBe("up\nhup\n"));
    await bench.allocations.restart(id);
    await until(() => expect(bench.output(id)).toBe("up\nhup\nup\n"));
    const again = { State: "running", Restarts: 1, Failed: false };
    await until(() => expect(bench.update(id)?.TaskStates["main"]).toMatchObject(again));
    await expect(bench.allocations.signal(id, "other", "SIGHUP")).rejects.toThrow('has no task "other". It has main');
    await expect(bench.allocations.restart("none")).rejects.toThrow("There is no allocation none on this node");
  });
});

describe("an allocation", () => {
  test("that is stopped gets the signal, then its end, and is complete", async () => {
    const line = "trap 'echo asked; exit 3' TERM; echo up; while :; do sleep 0.05; done";
    const id = bench.run(jobOf(task("main", line, `kill_signal = "SIGTERM"`)));
    await until(() => expect(bench.output(id)).toBe("up\n"));
    bench.change(id, { DesiredStatus: "stop" });
    await until(() => expect(statusOf(id)).toBe("complete"));
    await until(() => expect(bench.output(id)).toBe("up\nasked\n"));
    expect(bench.events(id).slice(-3)).toEqual([
      "Killing: Sent interrupt. Waiting 5s before force killing",
      "Terminated: Exit Code: 3",
      "Killed: Task successfully killed",
    ]);
    expect(bench.update(id)?.TaskStates["main"]).toMatchObject({ State: "dead", Failed: false });
  });

  test("waits for the one that it replaces", async () => {
    const id = bench.run(jobOf(task("main", "echo up"), batch), { PreviousAllocation: "before" });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(statusOf(id)).toBe("pending");
    bench.change(id, { PreviousAllocation: null });
    await until(() => expect(statusOf(id)).toBe("complete"));
  });

  test("takes a new version of its job in place: services change, the task runs on", async () => {
    const jobWith = (tag: string) =>
      jobOf(
        task(
          "main",
          "echo up; exec sleep 100",
          `service { name = "app"
        port = "http"
        tags = ["${tag}"] }`,
        ),
      );
    const id = bench.run(jobWith("one"), { Ports: [port("http", 4711)], JobVersion: 0 });
    const tags = () => [...bench.services.registered.values()].map(({ Tags }) => Tags);
    await until(() => expect(tags()).toEqual([["one"]]));
    bench.run(jobWith("two"), { ID: id, Ports: [port("http", 4711)], JobVersion: 1 });
    await until(() => expect(tags()).toEqual([["two"]]));
    expect(bench.update(id)?.TaskStates["main"]).toMatchObject({ State: "running", Restarts: 0 });
    await until(() => expect(bench.output(id)).toBe("up\n"));
  });

  test("that ended on the servers is not started again, and one that was stopped before it began is told as ended", async () => {
    const job = jobOf(task("main", "exec sleep 100"));
    const ended = bench.run(job, { ClientStatus: "complete" });
    const stopped = bench.run(job, { DesiredStatus: "stop" });
    await until(() => expect(statusOf(stopped)).toBe("complete"));
    expect(statusOf(ended)).toBeUndefined();
    expect(bench.allocations.ids()).toEqual([]);
  });

  test("runs its tasks in the order of their lifecycle", async () => {
    const append = (word: string) => `echo ${word} >> $NOMAD_ALLOC_DIR/data/order`;
    const hook = (name: string, sidecar = false) => `lifecycle { hook = "${name}"
      sidecar = ${sidecar} }`;
    const group = [
      task("last", append("poststop"), hook("poststop")),
      task("main", `sleep 0.2; ${append("main")}; sleep 0.5`),
      task("side", `${append("sidecar")}; exec sleep 100`, hook("prestart", true)),
      task("first", `sleep 0.2; ${append("prestart")}`, hook("prestart")),
      task("after", `sleep 0.4; ${append("poststart")}`, hook("poststart")),
    ];
    const id = bench.run(jobOf(group.join("\n"), batch));
    await until(() => expect(statusOf(id)).toBe("complete"));
    expect(
      readFileSync(bench.path(id, "alloc", "data", "order"), "utf8")
        .trim()
        .split("\n"),
    ).toEqual([...["sidecar", "prestart", "main", "poststart", "poststop"]]);
    expect(bench.events(id, "side")).toContain("Main Tasks Dead: Main tasks in the group died");
  });

  test("ends whole when one of its tasks fails for good, or its leader ends", async () => {
    const failing = bench.run(jobOf(`${once}\n${task("main", "exec sleep 100")}\n${task("bad", "exit 1")}`));
    await until(() => expect(statusOf(failing)).toBe("failed"));
    expect(bench.events(failing)).toContain('Sibling Task Failed: Task\'s sibling "bad" failed');
    const led = bench.run(
      jobOf(`${task("main", "exec sleep 100")}\n${task("boss", "sleep 0.2", "leader = true")}`, batch),
    );
    await until(() => expect(statusOf(led)).toBe("complete"));
    expect(bench.events(led)).toContain("Leader Task Dead: Leader Task in Group dead");
  });

  test("has secrets in memory alone while it runs, and none afterwards", async () => {
    const id = bench.run(jobOf(task("main", "echo up; exec sleep 100", "vault {}")));
    await until(() => expect(bench.output(id)).toBe("up\n"));
    const token = bench.path(id, "main", "secrets", "vault_token");
    expect(readFileSync(token, "utf8")).toBe("token-1");
    expect(statSync(token).mode & 0o777).toBe(0o600);
    expect(statSync(token).dev).not.toBe(statSync(bench.path(id, "main", "local")).dev);
    expect(readFileSync(bench.path(id, "state.json"), "utf8")).not.toContain("token-1");
    bench.change(id, { DesiredStatus: "stop" });
    await until(() => expect(existsSync(bench.path(id, "main", "secrets"))).toBe(false));
    await until(() => expect(bench.vault.alive).toEqual(new Set()));
  });
});
