import { call, derive, json, noteText, ref, runDerived, when } from "./compute.ts";
import {
  blocks,
  data,
  declared,
  local,
  moduleCall,
  output,
  provider,
  resource,
  templateInstance,
  terraform,
  variable,
} from "./declare.ts";
import type { Graph } from "./expression.ts";
import { faults } from "./fault.ts";
import { guard } from "./guard.ts";
import { closeRealm } from "./realm.ts";
import { finishReferences } from "./reference.ts";
import { lostTokens } from "./token.ts";

const notes: string[] = [];
const { stringify, parse } = JSON;

/** What the host asks of the program once it has run: the graph it made, as JSON. */
function finish(): string {
  const lost = lostTokens().map(({ text, at }) => ({
    summary: "Reference that went nowhere",
    detail: `${text} was put into a text or used as a key here, but its value, which is known later, reaches no input by it: it was compared, looked up or cut, or the text was never used. Pass the reference itself, or compute with derive(reference, (value) => …).`,
    at,
  }));
  finishReferences();
  // Where the program stopped early, a reference that went nowhere is news only if that is what stopped it.
  const causes = lost.filter(({ at }) => faults.some((fault) => fault.at[0]?.[0] === at[0]?.[0]));
  const graph: Graph = { blocks: declared, notes, faults: faults.length > 0 ? [...causes, ...faults] : lost };
  return stringify(graph);
}

function note(...parts: readonly unknown[]): void {
  notes.push(noteText(parts));
}

Object.assign(globalThis, {
  console: { log: note, info: note, debug: note, warn: note, error: note },
  $mw$: Object.assign(guard, {
    api: {
      blocks,
      call,
      data,
      derive,
      instance: templateInstance,
      json,
      local,
      module: moduleCall,
      output,
      provider,
      ref,
      resource,
      terraform,
      variable,
      when,
    },
    finish,
    derive: (id: number, known: string) => stringify(runDerived(id, parse(known))),
  }),
});
closeRealm();
