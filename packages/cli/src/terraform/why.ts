import type { Diagnostic } from "@millwright/core/diagnostics";
import type { Configuration } from "@millwright/engine/configuration";
import type { Plan } from "@millwright/engine/plan";
import { whyReports } from "@millwright/engine/why";
import { whyJson } from "@millwright/engine/why-json";
import type { VariableSource } from "@millwright/engine/variables";
import type { FlagTable } from "../flags.ts";
import { renderWhy } from "../views/why.ts";
import { badAddress } from "./options.ts";
import type { Session } from "./session.ts";

/** The flag that asks for reasons. */
export const whyFlags = {
  why: {
    kind: "strings",
    value: "ADDRESS",
    help: "Say why this instance (or what is in this resource or module) changes: which expression, variable or change outside causes it.",
  },
} as const satisfies FlagTable;

/** What is wrong with the addresses that reasons were asked for. */
export function badWhy(addresses: readonly string[]): Diagnostic | undefined {
  return badAddress("why", addresses);
}

/** Says why the objects at the addresses change. */
export async function sayWhy(
  session: Session,
  plan: Plan,
  configuration: Configuration,
  addresses: readonly string[],
): Promise<void> {
  for (const address of addresses) {
    const reports = whyReports(plan, configuration, address);
    if (session.json) session.json.why(address, whyJson(reports));
    else await session.io.stdout(renderWhy(address, reports, session.view));
  }
}

/** Who gave root variables their values, in words; the last of the sources that name one. */
export function givenFrom(sources: readonly VariableSource[]): ReadonlyMap<string, string> {
  const from = new Map<string, string>();
  for (const source of sources) {
    if (source.kind === "file") for (const name of source.attributes.keys()) from.set(name, source.filename);
    else from.set(source.name, wordsOf(source));
  }
  return from;
}

function wordsOf(source: Exclude<VariableSource, { readonly kind: "file" }>): string {
  switch (source.kind) {
    case "environment":
      return `the environment (TF_VAR_${source.name})`;
    case "command-line":
      return "-var on the command line";
    case "prompt":
      return "the answer to a question";
    case "value":
      return source.written?.from ?? "what a plan has kept";
  }
}
