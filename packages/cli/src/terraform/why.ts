import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import { everyKey } from "@millwright/engine/addresses";
import type { Configuration } from "@millwright/engine/configuration";
import type { Plan } from "@millwright/engine/plan";
import { covers, withoutKeys } from "@millwright/engine/targets";
import { type WhyReport, whyReports } from "@millwright/engine/why";
import { whyJson } from "@millwright/engine/why-json";
import type { VariableSource } from "@millwright/engine/variables";
import type { FlagTable } from "../flags.ts";
import { renderDeferrals } from "../views/deferrals.ts";
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

/** A state alone has no reasons: what is shown of one with `-why` would be the whole of it, unasked. */
export const whyOfNoPlan = errorDiagnostic(
  "No plan to explain",
  "-why explains the changes of a plan: name a file that plan -out=FILE has written, or ask plan itself with -why.",
);

/** Says why the objects at the addresses change; `explain` gives the reasons where these lead out of the configuration. */
export async function sayWhy(
  session: Session,
  plan: Plan,
  configuration: Configuration,
  addresses: readonly string[],
  explain = (address: string): WhyReport[] => whyReports(plan, configuration, address),
): Promise<void> {
  for (const address of addresses) {
    const reports = explain(address);
    if (session.json) session.json.why(address, whyJson(reports));
    else if (reports.length > 0) await session.io.stdout(renderWhy(reports, session.view));
    else await session.io.stdout(`\n${putOff(address, plan, session) ?? unchanged(address, plan, configuration)}\n`);
  }
}

function putOff(address: string, { deferrals }: Plan, { view }: Session): string | undefined {
  const about = deferrals.filter(({ change }) => covers(address, change.address.text.replaceAll(everyKey, "")));
  return about.length === 0 ? undefined : renderDeferrals(about, view).trimEnd();
}

// An address that nothing has is most likely misspelt: "not changed" would be taken for an answer.
function unchanged(address: string, plan: Plan, configuration: Configuration): string {
  const declared = [...configuration.modules.values()].flatMap(({ path, resources }) => [
    ...(path === "" ? [] : [path]),
    ...[...resources.keys()].map((name) => (path === "" ? name : `${path}.${name}`)),
  ]);
  const there = [...declared, ...plan.changes.map((change) => change.address.text)];
  if (there.some((name) => covers(address, name) || name === withoutKeys(address)))
    return `${address} is not changed by this plan.`;
  const near = similar(address, there);
  return `There is no ${address} in this plan.${near === undefined ? "" : ` Did you mean ${near}?`}`;
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
