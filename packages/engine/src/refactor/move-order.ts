import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import type { Graph } from "../graph.ts";
import { cyclesOf, GraphBuilder } from "../graph.ts";
import { covers } from "../plan/targets.ts";
import { type Endpoint, lastKey } from "./endpoint.ts";
import { absoluteText, type MoveStatement } from "./move-statements.ts";

/** What cannot be carried out whatever the state is: moves to the same place, two ways from or to one place, and circles. */
export function checkStatements(statements: readonly MoveStatement[]): Diagnostic[] {
  const written = statements.filter(({ kind }) => kind === "written");
  const diagnostics: Diagnostic[] = [];
  const byFrom = new Map<string, MoveStatement>();
  const byTo = new Map<string, MoveStatement>();
  for (const statement of written) {
    const [from, to] = endTexts(statement);
    const place = { subject: statement.range };
    if (from === to) {
      const detail = `This statement declares a move from ${from} to the same address, which is the same as not declaring this move at all.`;
      diagnostics.push(errorDiagnostic("Redundant move statement", detail, place));
      continue;
    }
    const noun = nounOf(statement.from);
    const elsewhere = byFrom.get(from);
    if (elsewhere && endTexts(elsewhere)[1] !== to) {
      const detail = `A statement at ${placeText(elsewhere.range)} declared that ${from} moved to ${endTexts(elsewhere)[1]}, but this statement instead declares that it moved to ${to}.\n\nEach ${noun} can move to only one destination ${noun}.`;
      diagnostics.push(errorDiagnostic("Ambiguous move statements", detail, place));
    }
    const other = byTo.get(to);
    if (other && endTexts(other)[0] !== from) {
      const detail = `A statement at ${placeText(other.range)} declared that ${endTexts(other)[0]} moved to ${to}, but this statement instead declares that ${from} moved there.\n\nEach ${noun} can have moved from only one source ${noun}.`;
      diagnostics.push(errorDiagnostic("Ambiguous move statements", detail, place));
    }
    byFrom.set(from, statement);
    byTo.set(to, statement);
  }
  return diagnostics.length > 0 ? diagnostics : cyclesOf(orderOf(statements)).map((way) => cycle(way, statements));
}

function nounOf(end: Endpoint): string {
  const key = lastKey(end) === undefined ? "" : " instance";
  return `${end.resource ? "resource" : "module"}${key}`;
}

function endTexts(statement: MoveStatement): readonly [string, string] {
  return [absoluteText(statement, statement.from), absoluteText(statement, statement.to)];
}

export function placeText({ filename, start }: SourceRange): string {
  return `${filename}:${start.line},${start.column}`;
}

function cycle(way: readonly string[], statements: readonly MoveStatement[]): Diagnostic {
  const lines = way
    .map((id) => statements[Number(id)]!)
    .map((statement) => ({ place: placeText(statement.range), ends: endTexts(statement) }))
    .sort((a, b) => (a.place < b.place ? -1 : 1))
    .map(({ place, ends: [from, to] }) => `\n  - ${place}: ${from} → ${to}`);
  const detail = `The following chained move statements form a cycle, and so there is no final location to move objects to:${lines.join("")}\n\nA chain of move statements must end with an address that doesn't appear in any other statements, and which typically also refers to an object still declared in the configuration.`;
  return errorDiagnostic("Cyclic dependency in move statements", detail);
}

/** The statements of a chain one after the other, each after those that lead to where it begins. */
export function inOrder(statements: readonly MoveStatement[]): MoveStatement[] {
  const graph = orderOf(statements);
  const done = new Set<string>();
  const ordered: MoveStatement[] = [];
  for (const start of graph.nodes.keys()) {
    const stack = [start];
    for (let id = stack.at(-1); id !== undefined; id = stack.at(-1)) {
      const missing = [...graph.dependencies.get(id)!].filter((to) => !done.has(to));
      if (missing.length > 0) stack.push(...missing);
      else {
        stack.pop();
        if (!done.has(id)) ordered.push(statements[Number(id)]!);
        done.add(id);
      }
    }
  }
  return ordered;
}

function orderOf(statements: readonly MoveStatement[]): Graph<MoveStatement> {
  const builder = new GraphBuilder<MoveStatement>();
  const ends = statements.map(endTexts);
  statements.forEach((statement, i) => builder.add(String(i), statement));
  for (const [i, [from]] of ends.entries()) {
    for (const [j, [earlierFrom, to]] of ends.entries()) {
      if (i === j) continue;
      // What leads into a place goes before what leads out of it, or out of a part of it.
      if (covers(to, from) || (covers(from, to) && !covers(from, earlierFrom))) builder.depend(String(i), String(j));
    }
  }
  return builder.build();
}
