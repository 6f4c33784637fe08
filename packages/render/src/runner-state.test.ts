import { describe, expect, test } from "vitest";
import type { RenderConfig, TemplateSpec } from "./config.ts";
import { prepareTemplates } from "./prepared-template.ts";
import {
  firstState,
  type RunnerAction,
  type RunnerEvent,
  type RunnerPlan,
  type RunnerState,
  stepRunner,
} from "./runner-state.ts";
import { followSettings } from "./testing/fake-servers.ts";

const noFilter = { isPristine: false, custom: [], allowed: [], denied: [] };

function template(name: string, text: string, more: Partial<TemplateSpec> = {}): TemplateSpec {
  return {
    name,
    text,
    destination: `/out/${name}`,
    keepsBackup: false,
    makesFolders: true,
    missingKey: "default",
    errorIsFatal: true,
    deniedFunctions: [],
    ...more,
  };
}

function command(line: string): Pick<TemplateSpec, "command"> {
  const kill = { killSignal: "SIGINT", killTimeout: 1 } as const;
  return { command: { command: { kind: "shell", line }, timeout: 1, ...kill, environment: noFilter } };
}

const child: Pick<RenderConfig, "child"> = {
  child: {
    command: { kind: "shell", line: "app" },
    environment: noFilter,
    killSignal: "SIGINT",
    killTimeout: 1,
    splay: 0,
  },
};

/** A run that is stepped by hand; what was done is told in short words. */
class Run {
  readonly plan: RunnerPlan;
  state: RunnerState;

  constructor(templates: readonly TemplateSpec[], more: Partial<RenderConfig> = {}) {
    const config: RenderConfig = {
      templates,
      mode: "follow",
      isDry: false,
      follow: followSettings,
      renewsToken: false,
      environment: {},
      folder: "/",
      ...more,
    };
    this.plan = { config, templates: prepareTemplates(templates, false).value };
    this.state = firstState(this.plan);
  }

  step(event: RunnerEvent): readonly string[] {
    const { state, actions } = stepRunner(this.plan, this.state, event);
    this.state = state;
    return actions.map(shown);
  }

  start(): readonly string[] {
    return this.step({ kind: "started", at: 0 });
  }

  arrive(values: Readonly<Record<string, string | null>>, at = 0): readonly string[] {
    return this.step({
      kind: "arrived",
      at,
      values: Object.entries(values).map(([key, value]) => [`kv.get(${key})`, value]),
    });
  }

  /** All files that were to be written are, by default with a change. */
  written(texts: Readonly<Record<number, string>>, kind: "changed" | "same" = "changed", at = 0): readonly string[] {
    const results = Object.entries(texts).map(([index, text]) => ({ index: Number(index), text, outcome: { kind } }));
    return this.step({ kind: "written", at, results });
  }
}

function shown(action: RunnerAction): string {
  switch (action.kind) {
    case "watch":
      return `watch ${action.source.id}`;
    case "unwatch":
      return `unwatch ${action.ids}`;
    case "write":
      return `write ${action.texts.map(({ index, text }) => `${index}:${text}`)}`;
    case "runCommands":
      return `run ${action.commands.map((spec) => (spec.command.kind === "shell" ? spec.command.line : ""))}`;
    case "wakeAt":
      return `wake at ${action.at}`;
    case "tell":
      return `${action.notice.level} ${action.notice.message}`;
    default:
      return action.kind;
  }
}

const one = template("one", '{{ key "a" }}');

describe("a template", () => {
  test("is written when all that it asks for has arrived", () => {
    const run = new Run([template("one", '{{ key "a" }}{{ key "b" }}')]);
    expect(run.start()).toEqual(["watch kv.get(a)", "watch kv.get(b)"]);
    expect(run.arrive({ a: "1" })).toEqual([]);
    expect(run.arrive({ b: "2" })).toEqual(["write 0:12"]);
    expect(run.written({ 0: "12" })).toEqual(["info rendered one => /out/one"]);
  });

  test("that asks for more than it did is written when that has arrived, and lets go of the rest", () => {
    const run = new Run([template("one", '{{ key (key "which") }}')]);
    run.start();
    expect(run.arrive({ which: "a" })).toEqual(["watch kv.get(a)"]);
    expect(run.arrive({ a: "1" })).toEqual(["write 0:1"]);
    run.written({ 0: "1" });
    expect(run.arrive({ which: "b" })).toEqual(["watch kv.get(b)"]);
    expect(run.arrive({ b: "2" })).toEqual(["write 0:2"]);
    expect(run.written({ 0: "2" })).toEqual(["info rendered one => /out/one", "unwatch kv.get(a)"]);
    expect([...run.state.known.keys()]).toEqual(["kv.get(which)", "kv.get(b)"]);
  });

  test("with the same text as before is not written", () => {
    const run = new Run([template("one", '{{ key "a" | len }}')]);
    run.start();
    run.arrive({ a: "x" });
    run.written({ 0: "1" });
    expect(run.arrive({ a: "y" })).toEqual([]);
  });

  test("waits for a key that is not there, and says so once", () => {
    const run = new Run([one]);
    run.start();
    const told = run.arrive({ a: null });
    expect(told).toEqual([expect.stringMatching(/^warn one waits for kv\.get\(a\): nothing is there yet/)]);
    expect(run.arrive({ a: null })).toEqual([]);
    expect(run.arrive({ a: "1" })).toEqual(["write 0:1"]);
  });

  test("keeps its file when its key goes away", () => {
    const run = new Run([one]);
    run.start();
    run.arrive({ a: "1" });
    run.written({ 0: "1" });
    expect(run.arrive({ a: null })).toHaveLength(1);
    expect(run.arrive({ a: "1" })).toEqual([]);
  });

  test("that fails ends the run, or leaves its file where that is asked", () => {
    const fails = '{{ key "a" | parseInt }}';
    const fatal = new Run([template("one", fails)], child);
    fatal.start();
    expect(fatal.arrive({ a: "x" })).toEqual(["cleanUp"]);
    expect(fatal.state.phase).toMatchObject({
      outcome: { kind: "failed", message: expect.stringContaining("parseInt") },
    });
    const lenient = new Run([template("one", fails, { errorIsFatal: false })]);
    lenient.start();
    expect(lenient.arrive({ a: "x" })).toEqual([expect.stringMatching(/^error .*stays as it is/)]);
    expect(lenient.arrive({ a: "7" })).toEqual(["write 0:7"]);
  });

  test("is not blamed for what comes of an absence", () => {
    const run = new Run([template("one", '{{ (index (split "," (key "a")) 1) }}')]);
    expect(run.start()).toEqual(["watch kv.get(a)"]);
    expect(run.arrive({ a: "x,y" })).toEqual(["write 0:y"]);
  });

  test("may not call what it is denied", () => {
    const run = new Run([template("one", '{{ env "HOME" }}', { deniedFunctions: ["e*v"] })]);
    run.start();
    expect(run.state.phase).toMatchObject({ outcome: { message: expect.stringContaining("function is disabled") } });
  });
});

describe("commands", () => {
  test("run once each, in order, and only for what has changed", () => {
    const run = new Run([
      template("one", '{{ key "a" }}', command("x")),
      template("two", '{{ key "a" }}', command("y")),
      template("three", '{{ key "a" }}', command("x")),
    ]);
    run.start();
    run.arrive({ a: "1" });
    expect(run.written({ 0: "1", 1: "1", 2: "1" }).at(-1)).toBe("run x,y");
    run.step({ kind: "commandsDone", at: 0, failures: [], isChanged: true });
    run.arrive({ a: "2" });
    expect(run.written({ 0: "2", 1: "2", 2: "2" }, "same")).toEqual([]);
  });

  test("that fail end the run", () => {
    const run = new Run([template("one", "x", command("x"))]);
    run.start();
    run.written({ 0: "x" });
    expect(run.step({ kind: "commandsDone", at: 0, failures: ["no"], isChanged: true })).toEqual(["cleanUp"]);
    expect(run.step({ kind: "cleaned" })).toEqual([]);
    expect(run.state.phase).toEqual({ kind: "over", outcome: { kind: "failed", message: "no" } });
  });

  test("are not disturbed by what arrives meanwhile, which is rendered afterwards", () => {
    const run = new Run([template("one", '{{ key "a" }}', command("x"))]);
    run.start();
    run.arrive({ a: "1" });
    expect(run.arrive({ a: "2" })).toEqual([]);
    run.written({ 0: "1" });
    expect(run.arrive({ a: "3" })).toEqual([]);
    expect(run.step({ kind: "commandsDone", at: 0, failures: [], isChanged: true })).toEqual(["write 0:3"]);
  });
});

describe("a program", () => {
  test("is started when every template has been rendered, and told when one changes", () => {
    const run = new Run([one, template("two", '{{ key "b" }}')], child);
    run.start();
    run.arrive({ a: "1" });
    expect(run.written({ 0: "1" })).toEqual(["info rendered one => /out/one"]);
    run.arrive({ b: "1" });
    expect(run.written({ 1: "1" }, "same")).toEqual(["startChild"]);
    expect(run.step({ kind: "childReady", at: 0 })).toEqual([]);
    run.arrive({ a: "2" });
    expect(run.written({ 0: "2" }).at(-1)).toBe("reloadChild");
  });

  test("without any template is started at once", () => {
    expect(new Run([], child).start()).toEqual(["startChild"]);
  });

  test("that ends, ends the run", () => {
    const run = new Run([template("one", "x")], child);
    run.start();
    run.written({ 0: "x" });
    run.step({ kind: "childReady", at: 0 });
    expect(run.step({ kind: "childEnded", exit: { kind: "code", code: 3 } })).toEqual(["cleanUp"]);
    expect(run.state.phase).toMatchObject({ outcome: { kind: "childEnded", exit: { code: 3 } } });
  });

  test("is not started in a dry run", () => {
    const run = new Run([template("one", "x")], { ...child, isDry: true, mode: "once" });
    run.start();
    expect(run.written({ 0: "x" })).toEqual(["info rendered one => /out/one", "cleanUp"]);
  });
});

describe("once", () => {
  test("ends when all is rendered, whatever changes on the way", () => {
    const run = new Run([one, template("two", '{{ key "b" }}')], { mode: "once", wait: { least: 5, most: 9 } });
    run.start();
    run.arrive({ a: "1" });
    run.written({ 0: "1" });
    expect(run.arrive({ a: "2" })).toEqual([]);
    expect(run.arrive({ b: "1" })).toEqual(["write 1:1"]);
    expect(run.written({ 1: "1" }).at(-1)).toBe("cleanUp");
    run.step({ kind: "cleaned" });
    expect(run.state.phase).toEqual({ kind: "over", outcome: { kind: "done" } });
  });
});

describe("a wait for rest", () => {
  function calm(): Run {
    const run = new Run([one], { wait: { least: 100, most: 250 } });
    run.start();
    expect(run.arrive({ a: "1" })).toEqual(["write 0:1"]);
    run.written({ 0: "1" });
    return run;
  }

  test("renders the last of several changes", () => {
    const run = calm();
    expect(run.arrive({ a: "2" }, 1000)).toEqual(["wake at 1100"]);
    expect(run.arrive({ a: "3" }, 1050)).toEqual(["wake at 1150"]);
    expect(run.step({ kind: "quietOver", at: 1100 })).toEqual([]);
    expect(run.step({ kind: "quietOver", at: 1150 })).toEqual(["write 0:3"]);
  });

  test("does not wait for ever", () => {
    const run = calm();
    run.arrive({ a: "2" }, 1000);
    run.arrive({ a: "3" }, 1090);
    run.arrive({ a: "4" }, 1180);
    expect(run.arrive({ a: "5" }, 1240)).toEqual(["wake at 1250"]);
    expect(run.step({ kind: "quietOver", at: 1250 })).toEqual(["write 0:5"]);
  });

  test("is over when the old text is back", () => {
    const run = calm();
    run.arrive({ a: "2" }, 1000);
    expect(run.arrive({ a: "1" }, 1010)).toEqual([]);
    expect(run.step({ kind: "quietOver", at: 1100 })).toEqual([]);
  });

  test("of a template's own holds over the general one", () => {
    const run = new Run([template("one", '{{ key "a" }}', { wait: "none" })], { wait: { least: 100, most: 250 } });
    run.start();
    run.arrive({ a: "1" });
    run.written({ 0: "1" });
    expect(run.arrive({ a: "2" }, 1000)).toEqual(["write 0:2"]);
  });
});

test("when it is asked to stop, nothing else begins", () => {
  const run = new Run([one], child);
  run.start();
  expect(run.step({ kind: "stopAsked" })).toEqual(["cleanUp"]);
  expect(run.arrive({ a: "1" })).toEqual([]);
  expect(run.step({ kind: "failed", message: "late" })).toEqual([]);
  run.step({ kind: "cleaned" });
  expect(run.state.phase).toEqual({ kind: "over", outcome: { kind: "stopped" } });
});
