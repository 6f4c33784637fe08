import type { CommandIo } from "../io.ts";
import type { CommandStyle } from "../terraform/session.ts";
import { renderDiagnostic } from "../views/diagnostics.ts";
import { whichInstance } from "./tasks.ts";

type Run = (args: readonly string[], io: CommandIo, style: CommandStyle) => Promise<number>;

/** Commands that work on all instances of a list. */
const overAll: Readonly<Record<string, Run>> = {
  plan: async (...a) => (await import("./plan-command.ts")).runPlanInstances(...a),
  apply: async (...a) => (await import("./apply-command.ts")).runApplyInstances("apply", ...a),
  destroy: async (...a) => (await import("./apply-command.ts")).runApplyInstances("destroy", ...a),
  refresh: async (args, ...rest) =>
    (await import("./apply-command.ts")).runApplyInstances(
      "apply",
      ["-refresh-only", "-auto-approve", ...args],
      ...rest,
    ),
  validate: async (...a) => (await import("./validate-command.ts")).runValidateInstances(...a),
  graph: async (...a) => (await import("./graph-command.ts")).runGraphInstances(...a),
};

/** Commands that have nothing to do with what a folder holds. */
const anywhere = new Set(["version", "fmt", "login", "logout", "metadata"]);

/**
 * Runs a command in a folder that lists instances of templates: over all of them, or over the one that `-instance=NAME`
 * names, in its template's folder and with its state.
 */
export async function runInInstances(
  { name, run }: { readonly name: string; readonly run: Run },
  args: readonly string[],
  io: CommandIo,
  style: CommandStyle,
): Promise<number> {
  const all = Object.hasOwn(overAll, name) ? overAll[name] : undefined;
  if (all) return all(args, io, style);
  const over = Object.hasOwn(overEach, name) ? overEach[name] : undefined;
  if (asksForHelp(args)) return (over ?? run)(args, io, style);
  if (anywhere.has(name)) return run(args, io, style);
  const { chosen, rest } = instanceAmong(args);
  if (chosen.length === 1) {
    const { runInInstance } = await import("./one-instance.ts");
    return runInInstance({ name, run }, chosen[0]!, rest, io, style);
  }
  if (chosen.length === 0 && over) return over(args, io, style);
  const line = [name, ...args.filter((arg) => !arg.startsWith("-")).slice(0, 1)].join(" ");
  await io.stderr(renderDiagnostic(whichInstance(line, style), io.view));
  return 1;
}

/** Commands that say something of all instances, and work in the ordinary way on one. */
const overEach: Readonly<Record<string, Run>> = {
  init: async (...a) => (await import("./each-command.ts")).runInitInstances(...a),
  drift: async (...a) => (await import("./drift-command.ts")).runDriftInstances(...a),
  history: async (...a) => (await import("./history-command.ts")).runHistoryInstances(...a),
  output: async (...a) => (await import("./each-command.ts")).runOutputInstances(...a),
  show: async (...a) => (await import("./each-command.ts")).runShowInstances(...a),
};

/** Whether a line only wants to know how a command is called. */
export function asksForHelp(args: readonly string[]): boolean {
  return args.some((arg) => /^--?h(elp)?$/.test(arg));
}

/** Takes `-instance=NAME` (or `-instance NAME`) out of a line. */
function instanceAmong(args: readonly string[]): {
  readonly chosen: readonly string[];
  readonly rest: readonly string[];
} {
  const chosen: string[] = [];
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const match = /^--?instance(?:=(.*))?$/.exec(args[i]!);
    if (!match) rest.push(args[i]!);
    else chosen.push(match[1] ?? args[++i] ?? "");
  }
  return { chosen, rest };
}
