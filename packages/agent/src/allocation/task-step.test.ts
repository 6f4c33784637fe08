import { minute, second } from "@millwright/jobs/nanoseconds";
import { describe, expect, test } from "vitest";
import type { TaskExit } from "../driver/driver.ts";
import { taskEvents } from "./task-events.ts";
import {
  newTask,
  stepTask,
  type TaskAction,
  type TaskInput,
  type TaskProgress,
  type TaskRule,
  taskStateOf,
} from "./task-step.ts";

const rule: TaskRule = {
  restart: { attempts: 2, interval: minute, delay: second, mode: "fail", renderTemplates: false },
  endsWell: false,
  killTimeout: 5_000,
};

function exit(exitCode: number, more: Partial<TaskExit> = {}): TaskExit {
  return { exitCode, signal: 0, oomKilled: false, at: 0, lost: "", ...more };
}

type What = TaskInput extends infer I ? (I extends unknown ? Omit<I, "at" | "fraction"> : never) : never;

/** A task that is stepped by hand. */
class Stepped {
  progress: TaskProgress = newTask;
  actions: readonly TaskAction[] = [];
  readonly rule: TaskRule;
  at = 1_000;

  constructor(more: Partial<TaskRule> = {}) {
    this.rule = { ...rule, ...more };
  }

  feed(...inputs: readonly What[]): this {
    for (const what of inputs) {
      const step = stepTask(this.rule, this.progress, { ...what, at: this.at, fraction: 0 } as TaskInput);
      this.progress = step.progress;
      this.actions = step.actions;
    }
    return this;
  }

  get kinds(): readonly string[] {
    return this.actions.map(({ kind }) => kind);
  }

  get events(): readonly string[] {
    return this.progress.events.map(({ Type }) => Type);
  }
}

const up = [{ kind: "begin" }, { kind: "started" }] as const;
const kill = { kind: "killAsked" } as const;

describe("the life of a task", () => {
  test("goes from its turn to its end, and each end is told", () => {
    const task = new Stepped({ endsWell: true }).feed({ kind: "begin" });
    expect(task.kinds).toEqual(["prepare"]);
    task.feed({ kind: "started" });
    expect(taskStateOf(task.progress)).toMatchObject({ State: "running", StartedAt: 1_000, FinishedAt: 0 });
    task.feed({ kind: "exited", exit: exit(0, { at: 1_500 }) });
    expect(task.kinds).toEqual(["finish"]);
    expect(taskStateOf(task.progress)).toMatchObject({ State: "dead", Failed: false, FinishedAt: 1_500 });
    expect(task.events).toEqual(["Started", "Terminated"]);
  });

  test.each([
    { name: "a service's task that ends well", endsWell: false, exit: exit(0) },
    { name: "a task that fails", endsWell: true, exit: exit(1) },
    { name: "a task that a signal ended", endsWell: true, exit: exit(0, { signal: 9 }) },
    { name: "a task that took too much memory", endsWell: true, exit: exit(0, { oomKilled: true }) },
    { name: "a task of which nothing is known", endsWell: true, exit: exit(0, { lost: "gone" }) },
  ])("$name is started again", ({ endsWell, exit: how }) => {
    const task = new Stepped({ endsWell }).feed(...up, { kind: "exited", exit: how });
    expect(task.kinds).toEqual(["exited", "rest"]);
    expect(task.progress.phase).toEqual({ kind: "resting", until: 2_000 });
    expect(task.feed({ kind: "rested" }).kinds).toEqual(["prepare"]);
  });

  test("a start that fails counts as the task's own failure; one that cannot be helped is the last", () => {
    const event = taskEvents.driverFailure(0, "no");
    const task = new Stepped().feed({ kind: "begin" }, { kind: "startFailed", event, isFinal: false });
    expect(task.events).toEqual(["Driver Failure", "Restarting"]);
    const final = new Stepped().feed({ kind: "begin" }, { kind: "startFailed", event, isFinal: true });
    expect(final.kinds).toEqual(["finish"]);
    expect(final.progress).toMatchObject({ failed: true, phase: { kind: "dead" }, finishedAt: 1_000 });
  });

  test.each([
    { name: "before its turn", before: [], actions: ["finish"], events: ["Killed"] },
    { name: "while it is prepared", before: [{ kind: "begin" }], actions: ["abandon"], events: [] },
    { name: "while it runs", before: up, actions: ["stop"], events: ["Started", "Killing"] },
  ] as const)("asked to end $name", ({ before, actions, events }) => {
    const task = new Stepped().feed(...before, kill);
    expect({ actions: task.kinds, events: task.events }).toEqual({ actions, events });
  });

  test("a start that comes while it is to end is stopped, and a start that fails then is the end", () => {
    const late = new Stepped().feed({ kind: "begin" }, kill, { kind: "started" });
    expect(late.kinds).toEqual(["stop"]);
    expect(late.feed({ kind: "exited", exit: exit(130, { signal: 2 }) }).progress).toMatchObject({
      phase: { kind: "dead" },
      failed: false,
    });
    const event = taskEvents.setupFailure(0, "aborted");
    expect(late.events.slice(0, 2)).toEqual(["Started", "Killing"]);
    const never = new Stepped().feed({ kind: "begin" }, kill, { kind: "startFailed", event, isFinal: false });
    expect(never.events).toEqual(["Killed"]);
  });

  test("a wish to restart takes no attempt, a failing check does", () => {
    const event = taskEvents.restartSignaled(0, "why");
    const wish = { kind: "restartAsked", event, isFailure: false } as const;
    const end = { kind: "exited", exit: exit(0) } as const;
    const wished = new Stepped().feed(...up, wish, end);
    expect(wished.progress).toMatchObject({
      phase: { kind: "resting", until: 1_000 },
      tally: { count: 0 },
      restarts: 1,
    });
    const failing = new Stepped().feed(...up, { ...wish, isFailure: true }, end);
    expect(failing.progress).toMatchObject({ phase: { kind: "resting", until: 2_000 }, tally: { count: 1 } });
  });

  test("an end that is asked for while it restarts is its end", () => {
    const event = taskEvents.restartSignaled(0, "why");
    const task = new Stepped().feed(...up, { kind: "restartAsked", event, isFailure: false }, kill, {
      kind: "exited",
      exit: exit(0),
    });
    expect(task.progress.phase).toEqual({ kind: "dead" });
  });
});

test("whatever comes, a task starts at most once at a time, is finished once, and stays dead", () => {
  for (let seed = 1; seed <= 2_000; seed++) {
    const next = generator(seed);
    const task = new Stepped({ endsWell: next() < 0.5 });
    let finished = 0;
    let isStarting = false;
    let isUp = false;
    for (let n = 0; n < 40; n++) {
      task.at += Math.floor(next() * 20_000);
      // What the world can say depends on what it was asked for.
      const possible: What[] = [
        { kind: "begin" },
        kill,
        { kind: "rested" },
        { kind: "restartAsked", event: taskEvents.restartSignaled(task.at, "why"), isFailure: next() < 0.5 },
      ];
      if (isStarting) {
        const event = taskEvents.driverFailure(task.at, "no");
        possible.push({ kind: "started" }, { kind: "startFailed", event, isFinal: next() < 0.1 });
      }
      if (isUp) possible.push({ kind: "exited", exit: exit(next() < 0.5 ? 0 : 1, { at: task.at }) });
      const what = possible[Math.floor(next() * possible.length)]!;
      task.feed(what);
      if (what.kind === "started" || what.kind === "startFailed") isStarting = false;
      if (what.kind === "started") isUp = true;
      if (what.kind === "exited") isUp = false;
      for (const { kind } of task.actions) {
        if (kind === "prepare") {
          expect(isStarting || isUp, `seed ${seed}: started twice`).toBe(false);
          isStarting = true;
        }
        if (kind === "stop") expect(isUp, `seed ${seed}: stopped what does not run`).toBe(true);
        if (kind === "finish") finished++;
      }
      const isDead = task.progress.phase.kind === "dead";
      expect(finished, `seed ${seed}`).toBe(isDead ? 1 : 0);
      expect(isDead && (isUp || isStarting), `seed ${seed}: dead while something runs`).toBe(false);
      expect(task.progress.events.length).toBeLessThanOrEqual(10);
    }
  }
});

/** Numbers in [0, 1) that are the same for each seed. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
