import { describe, expect, test } from "vitest";
import type { ProcessEvent, ProcessExit, ProcessState } from "./process-state.ts";
import { stepProcess } from "./process-state.ts";

const exit: ProcessExit = { kind: "code", code: 0 };
const end: ProcessEvent = { kind: "endAsked", signal: "SIGTERM", graceMilliseconds: 100 };
const kill: ProcessEvent = { kind: "endAsked", signal: "SIGKILL", graceMilliseconds: 100 };
const over: ProcessEvent = { kind: "graceOver" };
const exited = { kind: "exited", exit } satisfies ProcessEvent;
const gone: ProcessEvent = { kind: "treeGone" };

interface Case {
  readonly name: string;
  readonly input: readonly ProcessEvent[];
  readonly want: ProcessState["kind"];
  readonly does: readonly string[];
}

const cases: readonly Case[] = [
  { name: "ends by itself and leaves what it started", input: [exited], want: "ended", does: [] },
  {
    name: "ends by itself, and what it started is ended where that is asked",
    input: [{ ...exited, others: { signal: "SIGTERM", graceMilliseconds: 5 } }],
    want: "stopping",
    does: ["signalTree", "startGrace", "watchTree"],
  },
  { name: "a polite end signals and waits", input: [end], want: "stopping", does: ["signalTree", "startGrace"] },
  {
    name: "is not ended while others of its tree run",
    input: [end, exited],
    want: "stopping",
    does: ["signalTree", "startGrace", "watchTree"],
  },
  {
    name: "is ended when its tree is gone",
    input: [end, exited, gone],
    want: "ended",
    does: ["signalTree", "startGrace", "watchTree"],
  },
  {
    name: "a tree that stays is killed when the grace is over",
    input: [end, exited, over, gone],
    want: "ended",
    does: ["signalTree", "startGrace", "watchTree", "killTree"],
  },
  {
    name: "a tree cannot be gone before the process itself has ended",
    input: [end, over, gone],
    want: "killing",
    does: ["signalTree", "startGrace", "killTree"],
  },
  { name: "SIGKILL needs no grace", input: [kill], want: "killing", does: ["killTree"] },
  {
    name: "asked twice, the second patience counts",
    input: [end, { ...end, graceMilliseconds: 0 }],
    want: "killing",
    does: ["signalTree", "startGrace", "signalTree", "killTree"],
  },
  { name: "nothing happens to what has ended", input: [exited, end, over, gone, exited], want: "ended", does: [] },
];

describe("stepProcess", () => {
  test.each(cases)("$name", ({ input, want, does }) => {
    let state: ProcessState = { kind: "running" };
    const done: string[] = [];
    for (const event of input) {
      const step = stepProcess(state, event);
      state = step.state;
      done.push(...step.actions.map((action) => action.kind));
    }
    expect({ kind: state.kind, does: done }).toEqual({ kind: want, does });
  });
});
