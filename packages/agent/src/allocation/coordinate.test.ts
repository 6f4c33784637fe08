import { describe, expect, test } from "vitest";
import { clientStatusOf, type CoordinatedTask, coordinate, isUp, type TaskRole } from "./coordinate.ts";
import { newTask, type TaskProgress } from "./task-step.ts";

type Shown = "waiting" | "preparing" | "running" | "stopping" | "resting" | "dead" | "failed";

function progress(shown: Shown): TaskProgress {
  const hasBegun = shown !== "waiting";
  const hasRun = !["waiting", "preparing"].includes(shown);
  const base = { ...newTask, hasBegun, hasRun, failed: shown === "failed" };
  if (shown === "failed" || shown === "dead") return { ...base, phase: { kind: "dead" } };
  if (shown === "stopping") return { ...base, phase: { kind: "stopping", then: "end" } };
  if (shown === "resting") return { ...base, phase: { kind: "resting", until: 1 } };
  return { ...base, phase: { kind: shown } };
}

function task(name: string, role: TaskRole, shown: Shown, isLeader = false): CoordinatedTask {
  return { name, role, isLeader, progress: progress(shown) };
}

function told(tasks: readonly CoordinatedTask[], isStopping = false): readonly string[] {
  return coordinate(tasks, isStopping).map((directive) =>
    directive.kind === "begin" ? `begin ${directive.task}` : `kill ${directive.task}: ${directive.why.kind}`,
  );
}

describe("who begins, and who is ended", () => {
  test.each([
    {
      name: "what prepares begins first",
      tasks: [
        task("init", "prestart", "waiting"),
        task("side", "prestartSidecar", "waiting"),
        task("a", "main", "waiting"),
      ],
      want: ["begin init", "begin side"],
    },
    {
      name: "main tasks begin when what prepares has ended well and sidecars run",
      tasks: [
        task("init", "prestart", "dead"),
        task("side", "prestartSidecar", "running"),
        task("a", "main", "waiting"),
      ],
      want: ["begin a"],
    },
    {
      name: "not before",
      tasks: [
        task("init", "prestart", "dead"),
        task("side", "prestartSidecar", "preparing"),
        task("a", "main", "waiting"),
      ],
      want: [],
    },
    {
      name: "what follows begins when all main tasks have started",
      tasks: [task("a", "main", "running"), task("b", "main", "resting"), task("after", "poststart", "waiting")],
      want: ["begin after"],
    },
    {
      name: "a task that failed ends all others, and those that wait never begin",
      tasks: [
        task("init", "prestart", "failed"),
        task("side", "prestartSidecar", "running"),
        task("a", "main", "waiting"),
      ],
      want: ["kill a: siblingFailed"],
    },
    {
      name: "a leader's end ends the others",
      tasks: [task("boss", "main", "dead", true), task("a", "main", "running")],
      want: ["kill a: leaderDead"],
    },
    {
      name: "sidecars end when all main tasks have",
      tasks: [
        task("a", "main", "dead"),
        task("side", "prestartSidecar", "running"),
        task("last", "poststop", "waiting"),
      ],
      want: ["kill side: mainDead"],
    },
    {
      name: "what cleans up begins when all else has ended",
      tasks: [task("a", "main", "dead"), task("side", "prestartSidecar", "dead"), task("last", "poststop", "waiting")],
      want: ["begin last"],
    },
    {
      name: "an end that is asked for begins with the leader",
      tasks: [
        task("a", "main", "running"),
        task("boss", "main", "running", true),
        task("side", "poststartSidecar", "running"),
      ],
      isStopping: true,
      want: ["kill boss: stopped"],
    },
    {
      name: "then come the main tasks, then the sidecars",
      tasks: [task("a", "main", "running"), task("side", "poststartSidecar", "running")],
      isStopping: true,
      want: ["kill a: stopped"],
    },
    {
      name: "where nothing has begun there is nothing to clean up",
      tasks: [task("a", "main", "waiting"), task("last", "poststop", "waiting")],
      isStopping: true,
      want: ["kill a: stopped"],
    },
  ])("$name", ({ tasks, isStopping = false, want }) => {
    expect(told(tasks, isStopping)).toEqual(want);
  });
});

test.each([
  { shown: ["waiting", "waiting"], want: "pending" },
  { shown: ["preparing", "waiting"], want: "pending" },
  { shown: ["running", "waiting"], want: "running" },
  { shown: ["failed", "stopping"], want: "running" },
  { shown: ["resting", "dead"], want: "running" },
  { shown: ["dead", "dead"], want: "complete" },
  { shown: ["failed", "dead"], want: "failed" },
] as const)("tasks that are $shown make an allocation $want", ({ shown, want }) => {
  expect(clientStatusOf(shown.map((one, n) => task(`t${n}`, "main", one))).status).toBe(want);
});

test("a group is up when what runs for long runs, and what prepares has ended well", () => {
  const all = [task("init", "prestart", "dead"), task("a", "main", "running"), task("last", "poststop", "waiting")];
  expect(isUp(all)).toBe(true);
  expect(isUp([...all, task("b", "main", "resting")])).toBe(false);
  expect(isUp([task("init", "prestart", "failed"), task("a", "main", "running")])).toBe(false);
});

test("in whatever order tasks come and go, all of them come to their end once it is asked for", () => {
  const roles: readonly TaskRole[] = [
    "prestart",
    "prestartSidecar",
    "main",
    "poststart",
    "poststartSidecar",
    "poststop",
  ];
  for (let seed = 1; seed <= 1_000; seed++) {
    let state = seed;
    const chance = (below: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const names = Array.from({ length: 1 + chance(6) }, (_, n) => ({
      name: `t${n}`,
      role: n === 0 ? "main" : roles[chance(6)]!,
    }));
    const shown = new Map<string, Shown>(names.map(({ name }) => [name, "waiting"]));
    const tasks = () =>
      names.map(({ name, role }) => task(name, role, shown.get(name)!, name === "t0" && seed % 3 === 0));
    const stopAt = chance(40);
    for (let n = 0; n < 200; n++) {
      for (const directive of coordinate(tasks(), n >= stopAt)) {
        const at = shown.get(directive.task)!;
        const role = names.find(({ name }) => name === directive.task)!.role;
        if (directive.kind === "begin" && at === "waiting") {
          const mustBeDead = role === "poststop" ? names.filter((one) => one.role !== "poststop") : [];
          for (const { name } of mustBeDead) expect(["dead", "failed"], `seed ${seed}`).toContain(shown.get(name));
          shown.set(directive.task, "preparing");
        }
        if (directive.kind === "kill" && at !== "dead" && at !== "failed") {
          shown.set(directive.task, at === "waiting" || at === "resting" ? "dead" : "stopping");
        }
      }
      // Something happens to one of those that it can happen to.
      const alive = names.filter(({ name }) =>
        ["preparing", "running", "stopping", "resting"].includes(shown.get(name)!),
      );
      const one = alive[chance(alive.length)];
      if (!one) continue;
      const at = shown.get(one.name)!;
      if (at === "preparing") shown.set(one.name, chance(10) === 0 ? "failed" : "running");
      else if (at === "stopping") shown.set(one.name, "dead");
      else if (at === "resting") shown.set(one.name, "preparing");
      else shown.set(one.name, (["dead", "resting", "failed", "running"] as const)[chance(4)]!);
    }
    expect(
      [...shown.values()].every((at) => at === "dead" || at === "failed"),
      `seed ${seed}: ${[...shown]}`,
    ).toBe(true);
  }
});
