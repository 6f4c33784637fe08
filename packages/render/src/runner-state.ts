import { assertNever } from "@millwright/core/errors";
import type { ProcessExit } from "@millwright/process/process-state";
import type { TemplateValue } from "@millwright/template/value";
import type { CommandSpec, Notice, RenderConfig, TemplateSpec } from "./config.ts";
import { evaluateTemplate, type PreparedTemplate } from "./prepared-template.ts";
import { type Quiet, stepQuiet } from "./quiet.ts";
import type { Source } from "./source.ts";

/** What a template has come to. */
export interface TemplateState {
  /** The text that was last put in its place. */
  readonly rendered?: string;
  /** What its last evaluation asked for; after one that did not come to its end, what the one before asked for too. */
  readonly used: ReadonlyMap<string, Source>;
  /** Which of those have not been answered yet: before they are, there is no text, and no use in trying. */
  readonly awaited: readonly string[];
  /** Which of those are known not to be there, and the user has been told so. */
  readonly told: readonly string[];
  readonly quiet?: Quiet;
}

/**
 * `idle`: waits for something to happen. `working`: files are written, then commands run, then the program is started or
 * told; what arrives meanwhile is kept, and looked at afterwards. `stopping`: the program is ended and leases are given
 * back. `over`: nothing happens any more.
 */
export type RunnerPhase =
  | { readonly kind: "idle" }
  | { readonly kind: "working"; readonly isDirty: boolean }
  | { readonly kind: "stopping"; readonly outcome: RunOutcome }
  | { readonly kind: "over"; readonly outcome: RunOutcome };

export interface RunnerState {
  readonly phase: RunnerPhase;
  readonly templates: readonly TemplateState[];
  readonly known: ReadonlyMap<string, TemplateValue>;
  readonly watched: ReadonlyMap<string, Source>;
  readonly hasChild: boolean;
}

/** How a run ended. `stopped`: somebody asked for it. */
export type RunOutcome =
  | { readonly kind: "done" }
  | { readonly kind: "stopped" }
  | { readonly kind: "childEnded"; readonly exit: ProcessExit }
  | { readonly kind: "failed"; readonly message: string };

export interface WriteResult {
  readonly index: number;
  readonly text: string;
  readonly outcome: { readonly kind: "changed" | "same" } | { readonly kind: "failed"; readonly message: string };
}

/** `at` is milliseconds since 1970. */
export type RunnerEvent =
  | { readonly kind: "started"; readonly at: number }
  | { readonly kind: "arrived"; readonly at: number; readonly values: readonly (readonly [string, TemplateValue])[] }
  /** Some template's wait may be over. */
  | { readonly kind: "quietOver"; readonly at: number }
  | { readonly kind: "written"; readonly at: number; readonly results: readonly WriteResult[] }
  | {
      readonly kind: "commandsDone";
      readonly at: number;
      readonly failures: readonly string[];
      readonly isChanged: boolean;
    }
  | { readonly kind: "childReady"; readonly at: number }
  | { readonly kind: "childEnded"; readonly exit: ProcessExit }
  /** A source cannot be read any more, or the program cannot be started. */
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "stopAsked"; readonly signal?: NodeJS.Signals }
  | { readonly kind: "cleaned" };

export type RunnerAction =
  | { readonly kind: "watch"; readonly source: Source }
  /** Nothing reads it any more: what it leased is given back. */
  | { readonly kind: "unwatch"; readonly ids: readonly string[] }
  | { readonly kind: "write"; readonly texts: readonly { readonly index: number; readonly text: string }[] }
  | { readonly kind: "runCommands"; readonly commands: readonly CommandSpec[]; readonly isChanged: boolean }
  | { readonly kind: "startChild" }
  | { readonly kind: "reloadChild" }
  | { readonly kind: "wakeAt"; readonly at: number }
  | { readonly kind: "tell"; readonly notice: Notice }
  /** End the program if there is one (by `signal` where one is given), and give leases back. */
  | { readonly kind: "cleanUp"; readonly signal?: NodeJS.Signals };

export interface RunnerStep {
  readonly state: RunnerState;
  readonly actions: readonly RunnerAction[];
}

/** What does not change while it runs. */
export interface RunnerPlan {
  readonly config: RenderConfig;
  readonly templates: readonly PreparedTemplate[];
}

export function firstState({ templates }: RunnerPlan): RunnerState {
  const none: TemplateState = { used: new Map(), awaited: [], told: [] };
  return {
    phase: { kind: "idle" },
    templates: templates.map(() => none),
    known: new Map(),
    watched: new Map(),
    hasChild: false,
  };
}

/** What follows from an event. Pure: all that is read and done comes in as events and goes out as actions. */
export function stepRunner(plan: RunnerPlan, state: RunnerState, event: RunnerEvent): RunnerStep {
  const { phase } = state;
  if (phase.kind === "over") return { state, actions: [] };
  if (phase.kind === "stopping") {
    return event.kind === "cleaned"
      ? { state: { ...state, phase: { kind: "over", outcome: phase.outcome } }, actions: [] }
      : { state, actions: [] };
  }
  switch (event.kind) {
    case "started":
      return evaluate(plan, state, event.at);
    case "arrived": {
      const known = new Map(state.known);
      for (const [id, value] of event.values) if (state.watched.has(id)) known.set(id, value);
      return whenIdle(plan, { ...state, known }, event.at);
    }
    case "quietOver":
      return whenIdle(plan, state, event.at);
    case "written":
      return written(plan, state, event.results, event.at);
    case "commandsDone":
      if (event.failures.length > 0) return stop(state, { kind: "failed", message: event.failures.join("\n") });
      return afterCommands(plan, state, event.isChanged, event.at);
    case "childReady":
      return settle(plan, { ...state, hasChild: true }, event.at);
    case "childEnded":
      return stop({ ...state, hasChild: false }, { kind: "childEnded", exit: event.exit });
    case "failed":
      return stop(state, { kind: "failed", message: event.message });
    case "stopAsked":
      return stop(state, { kind: "stopped" }, event.signal);
    case "cleaned":
      return { state, actions: [] };
    default:
      return assertNever(event);
  }
}

function stop(state: RunnerState, outcome: RunOutcome, signal?: NodeJS.Signals): RunnerStep {
  const cleanUp: RunnerAction = { kind: "cleanUp", ...(signal ? { signal } : {}) };
  return { state: { ...state, phase: { kind: "stopping", outcome } }, actions: [cleanUp] };
}

function whenIdle(plan: RunnerPlan, state: RunnerState, at: number): RunnerStep {
  if (state.phase.kind !== "working") return evaluate(plan, state, at);
  return { state: { ...state, phase: { kind: "working", isDirty: true } }, actions: [] };
}

/** Evaluates every template with what is known, watches what they ask for, and writes what is due. */
function evaluate(plan: RunnerPlan, state: RunnerState, at: number): RunnerStep {
  const actions: RunnerAction[] = [];
  const texts: { index: number; text: string }[] = [];
  const templates: TemplateState[] = [];
  const watched = new Map(state.watched);
  for (const [index, prepared] of plan.templates.entries()) {
    const outcome = evaluateOne(plan, state, { prepared, before: state.templates[index]! }, at);
    if (outcome.kind === "failed") return stop(state, outcome);
    templates.push(outcome.after);
    actions.push(...outcome.actions);
    if (outcome.due !== undefined) texts.push({ index, text: outcome.due });
    for (const [id, source] of outcome.after.used) {
      if (!watched.has(id)) actions.push({ kind: "watch", source });
      watched.set(id, source);
    }
  }
  const next = { ...state, templates, watched };
  if (texts.length > 0) {
    const phase: RunnerPhase = { kind: "working", isDirty: false };
    return { state: { ...next, phase }, actions: [...actions, { kind: "write", texts }] };
  }
  const settled = settle(plan, { ...next, phase: { kind: "idle" } }, at);
  return { state: settled.state, actions: [...actions, ...settled.actions] };
}

type OneOutcome =
  | { readonly kind: "failed"; readonly message: string }
  | {
      readonly kind: "evaluated";
      readonly after: TemplateState;
      readonly actions: readonly RunnerAction[];
      /** What is to be written now. */
      readonly due?: string;
    };

function evaluateOne(
  { config }: RunnerPlan,
  state: RunnerState,
  { prepared, before }: { readonly prepared: PreparedTemplate; readonly before: TemplateState },
  at: number,
): OneOutcome {
  const { spec } = prepared;
  const { quiet, ...calm } = before;
  if (config.mode === "once" && before.rendered !== undefined) return evaluated(before);
  if (before.awaited.some((id) => !state.known.has(id))) return evaluated(before);
  const { execution, asked } = evaluateTemplate(prepared, { known: state.known, now: at, ...config });
  if (execution.kind !== "text") {
    // It may have stopped before it asked for all that it needs.
    const kept = { ...calm, used: new Map([...before.used, ...asked]), awaited: [] };
    if (execution.kind === "missing") return stillMissing(state, spec, kept, execution.missing);
    const { message } = execution.error;
    if (spec.errorIsFatal) return { kind: "failed", message };
    return evaluated(kept, [tell("error", `${message} (${spec.destination ?? "its text"} stays as it is)`)]);
  }
  const { text } = execution;
  const whole: TemplateState = { ...calm, used: asked, awaited: [], told: [] };
  if (text === before.rendered) return evaluated(whole);
  const wait = spec.wait ?? config.wait ?? "none";
  // The first round is for having everything at all; only later ones wait for rest.
  const isFirstRound = state.templates.some((template) => template.rendered === undefined);
  const next = wait === "none" || isFirstRound ? undefined : stepQuiet(quiet, text, wait, at);
  if (!next) return evaluated(whole, [], text);
  return evaluated({ ...whole, quiet: next }, next === quiet ? [] : [{ kind: "wakeAt", at: next.until }]);
}

function evaluated(after: TemplateState, actions: readonly RunnerAction[] = [], due?: string): OneOutcome {
  return { kind: "evaluated", after, actions, ...(due === undefined ? {} : { due }) };
}

function stillMissing(
  state: RunnerState,
  spec: TemplateSpec,
  kept: TemplateState,
  missing: readonly { readonly id: string }[],
): OneOutcome {
  // What has been answered and is missing still is not there.
  const ids = missing.map(({ id }) => id);
  const absent = ids.filter((id) => state.known.has(id));
  const awaited = ids.filter((id) => !state.known.has(id));
  const news = absent.filter((id) => !kept.told.includes(id));
  return evaluated({ ...kept, awaited, told: absent }, news.length > 0 ? [tell("warn", waiting(spec, news))] : []);
}

function waiting({ name }: TemplateSpec, ids: readonly string[]): string {
  const list = ids.join(", ");
  return `${name} waits for ${list}: nothing is there yet. Write it, or give a default (keyOrDefault, ls, tree).`;
}

function written(plan: RunnerPlan, state: RunnerState, results: readonly WriteResult[], at: number): RunnerStep {
  const templates = [...state.templates];
  const actions: RunnerAction[] = [];
  const commands: CommandSpec[] = [];
  let isChanged = false;
  for (const { index, text, outcome } of results) {
    const { spec } = plan.templates[index]!;
    if (outcome.kind === "failed") {
      if (spec.errorIsFatal) return stop(state, { kind: "failed", message: outcome.message });
      actions.push(tell("error", outcome.message));
      continue;
    }
    templates[index] = { ...templates[index]!, rendered: text };
    if (outcome.kind === "same") continue;
    actions.push(tell("info", `rendered ${spec.name} => ${spec.destination ?? "standard output"}`));
    isChanged = true;
    const { command } = spec;
    if (!command || plan.config.isDry) continue;
    const isKnown = commands.some((known) => JSON.stringify(known.command) === JSON.stringify(command.command));
    if (!isKnown) commands.push(command);
  }
  const next = { ...state, templates };
  if (commands.length > 0) return { state: next, actions: [...actions, { kind: "runCommands", commands, isChanged }] };
  const after = afterCommands(plan, next, isChanged, at);
  return { state: after.state, actions: [...actions, ...after.actions] };
}

function afterCommands(plan: RunnerPlan, state: RunnerState, isChanged: boolean, at: number): RunnerStep {
  const { config } = plan;
  const isComplete = state.templates.every((template) => template.rendered !== undefined);
  if (config.child && !config.isDry && isComplete) {
    if (!state.hasChild) return { state, actions: [{ kind: "startChild" }] };
    if (isChanged) return { state, actions: [{ kind: "reloadChild" }] };
  }
  return settle(plan, state, at);
}

/** Work is done: what nobody uses is let go, and what arrived meanwhile is looked at. */
function settle(plan: RunnerPlan, state: RunnerState, at: number): RunnerStep {
  const { config } = plan;
  if (state.phase.kind === "working" && state.phase.isDirty) {
    return evaluate(plan, { ...state, phase: { kind: "idle" } }, at);
  }
  const isComplete = state.templates.every((template) => template.rendered !== undefined);
  const runsChild = config.child !== undefined && !config.isDry;
  if (config.mode === "once" && isComplete && !runsChild) {
    return stop(state, { kind: "done" });
  }
  const used = new Set(state.templates.flatMap((template) => [...template.used.keys()]));
  // While a template waits it may ask for less than it will: what it asked for before is kept until it is whole.
  const ids = [...state.watched.keys()].filter((id) => !used.has(id));
  const watched = new Map([...state.watched].filter(([id]) => used.has(id)));
  const known = new Map([...state.known].filter(([id]) => used.has(id)));
  const actions: RunnerAction[] = ids.length > 0 ? [{ kind: "unwatch", ids }] : [];
  const isStarted = !runsChild || state.hasChild || !isComplete;
  if (!isStarted)
    return {
      state: { ...state, watched, known, phase: { kind: "working", isDirty: false } },
      actions: [...actions, { kind: "startChild" }],
    };
  return { state: { ...state, watched, known, phase: { kind: "idle" } }, actions };
}

function tell(level: Notice["level"], message: string): RunnerAction {
  return { kind: "tell", notice: { level, message } };
}
