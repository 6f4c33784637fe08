import { createHash } from "node:crypto";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import type { Contribution } from "@millwright/engine/load";
import { FunctionError } from "@millwright/hcl/function-spec";
import { rangeOf } from "@millwright/hcl/source-file";
import { blocksOf } from "./host/blocks.ts";
import type { Bundle } from "./host/bundle.ts";
import { bundleStacks, runtimeCode } from "./host/bundle.ts";
import { deriveFunction, deriveName, type RunDerived } from "./host/derive.ts";
import type { Instrumented } from "./host/instrument.ts";
import { instrument, waitingIn } from "./host/instrument.ts";
import { Places } from "./host/places.ts";
import type { Outcome } from "./host/program.ts";
import { StackProgram } from "./host/program.ts";
import { whyThrown } from "./host/thrown.ts";
import type { Graph } from "./runtime/expression.ts";
import { framesOf } from "./runtime/fault.ts";

/** What the TypeScript stacks of a folder say. */
export interface Stacks {
  readonly contribution: Contribution;
  readonly diagnostics: readonly Diagnostic[];
  /** What {@link restoreStacks} makes the same contribution of, without any source. */
  readonly saved: string;
  /** The user's files that the stacks were made of, by names relative to the folder. */
  readonly sources: ReadonlyMap<string, string>;
  /** Lines that the stacks wrote with console.log. */
  readonly notes: readonly string[];
}

/**
 * Bundles and runs the stacks of a folder, once. Everything wrong is a diagnostic at the stack's file and line. `path` is what
 * others call the folder, where that is not where they are: files are named by it.
 */
export async function buildStacks(folder: string, names: readonly string[], path = "."): Promise<Stacks> {
  const prefix = path === "." ? "" : `${path}/`;
  const bundled = await bundleStacks(folder, names);
  if (!bundled.value || hasErrors(bundled.diagnostics))
    return nothing(bundled.diagnostics.map((each) => named(each, prefix)));
  const code: ProgramCode = { ...bundled.value, runtime: await runtimeCode(), prefix };
  const instrumented = instrument(code.code);
  const places = new Places(code, instrumented, prefix);
  const waiting = waits(instrumented, places);
  if (waiting.length > 0) return { ...nothing(waiting), sources: places.sources };
  const { program, outcome } = StackProgram.run(code.runtime, instrumented.code);
  const diagnostics = bundled.diagnostics.map((each) => named(each, prefix));
  const graphText = outcome.kind === "built" ? outcome.graph : program.graphSoFar();
  const graph = JSON.parse(graphText) as Graph;
  diagnostics.push(...faultsOf(graph, outcome, places));
  const notes = graph.notes;
  if (hasErrors(diagnostics)) return { ...nothing(diagnostics), sources: places.sources, notes };
  const blocks = blocksOf(graph, places, diagnostics);
  const functions = new Map([[deriveName, deriveFunction(located(places, (id, known) => program.derive(id, known)))]]);
  const saved: SavedStacks = { format, ...code, graph: graphText };
  return {
    contribution: { blocks, functions },
    diagnostics,
    saved: JSON.stringify(saved),
    sources: places.sources,
    notes,
  };
}

/**
 * The contribution of a saved plan. Its graph is the one that was planned; the program itself runs again only when a
 * `derive` is to be computed, and is refused if it builds another graph.
 */
export function restoreStacks(saved: string): Contribution {
  const stacks = JSON.parse(saved) as SavedStacks;
  const instrumented = instrument(stacks.code);
  const places = new Places(stacks, instrumented, stacks.prefix);
  let program: StackProgram | undefined;
  const run: RunDerived = (id, known) => {
    program ??= runAgain(stacks, instrumented);
    return program.derive(id, known);
  };
  const blocks = blocksOf(JSON.parse(stacks.graph) as Graph, places, []);
  return { blocks, functions: new Map([[deriveName, deriveFunction(located(places, run))]]) };
}

/** What has to be there to run a stack again. */
interface ProgramCode extends Bundle {
  readonly runtime: string;
  /** What stands before the names of the program's files; absent from plans saved before programs had one. */
  readonly prefix?: string;
}

interface SavedStacks extends ProgramCode {
  readonly format: number;
  /** The graph that the plan was made from, as JSON. */
  readonly graph: string;
}

const format = 1;

/** What the bundler says, with the longer name of its file. */
function named(diagnostic: Diagnostic, prefix: string): Diagnostic {
  const { subject } = diagnostic;
  return subject ? { ...diagnostic, subject: { ...subject, filename: prefix + subject.filename } } : diagnostic;
}

function runAgain(stacks: SavedStacks, instrumented: Instrumented): StackProgram {
  const { program, outcome } = StackProgram.run(stacks.runtime, instrumented.code);
  if (outcome.kind === "built" && digest(outcome.graph) === digest(stacks.graph)) return program;
  throw new FunctionError(
    "run again, the stack builds another graph than the one this plan was made from, so nothing is computed from it; make a new plan",
  );
}

function digest(graph: string): string {
  return createHash("sha256").update(graph).digest("hex");
}

// Libraries may hold what waits, as long as nobody calls it; a stack's own files have no use for it.
function waits({ program }: Instrumented, places: Places): Diagnostic[] {
  const own = [...waitingIn(program)].flatMap((node) => places.own(node) ?? []);
  return own
    .slice(0, 1)
    .map((place) =>
      errorDiagnostic(
        "Nothing to wait for",
        "A stack runs once, from top to bottom, before anything is known, so that async and await have no use in it. What is known later comes by references.",
        { subject: rangeOf(place.node) },
      ),
    );
}

function nothing(diagnostics: readonly Diagnostic[]): Stacks {
  return { contribution: { blocks: [] }, diagnostics, saved: "", sources: new Map(), notes: [] };
}

function faultsOf(graph: Graph, outcome: Outcome, places: Places): Diagnostic[] {
  const found = graph.faults.map(({ summary, detail, at }) => {
    const place = places.frame(at);
    return errorDiagnostic(summary, detail, place ? { subject: rangeOf(place.node) } : {});
  });
  if (outcome.kind !== "threw" || outcome.name === "StackFault") return found;
  const place = places.frame(framesOf(outcome.trace));
  const { summary, detail } = whyThrown(outcome);
  const thrown = errorDiagnostic(summary, detail, place ? { subject: rangeOf(place.node) } : {});
  // References that went nowhere are no news where the program did not come to its end.
  return [...found.filter((fault) => fault.summary !== "Reference that went nowhere"), thrown];
}

/** Says where in the stack a function of `derive` threw, beside where it was written. */
function located(places: Places, run: RunDerived): RunDerived {
  return (id, known) => {
    const result = run(id, known);
    if (result.ok) return result;
    const place = places.frame(result.at);
    if (!place) return result;
    const { filename, start } = rangeOf(place.node);
    return { ...result, message: `${result.message.replace(/\.$/, "")} (${filename}:${start.line})` };
  };
}
