import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import { compareKeys } from "@millwright/value/types";
import { absoluteResourceText, resourceText } from "../addresses.ts";
import type { Evaluator } from "../evaluator.ts";
import { expansionKeys } from "../expansion.ts";
import { parseAddress } from "../parse-address.ts";
import { covers } from "../plan/targets.ts";
import type { MovedState } from "./moves.ts";
import { lastKey } from "./endpoint.ts";
import { placeText } from "./move-order.ts";
import { absoluteText, type MoveStatement } from "./move-statements.ts";

/** Moves away from what the configuration still declares: it would be made anew at once. Asked for when all is expanded. */
export function stillDeclared(statements: readonly MoveStatement[], evaluator: Evaluator): Diagnostic[] {
  return statements
    .filter(({ kind }) => kind === "written")
    .flatMap((statement) => {
      const declared = declaredAt(statement, evaluator);
      if (declared === undefined) return [];
      const { from, to } = statement;
      const noun = `${from.resource ? "resource" : "module"}${lastKey(from) === undefined ? "" : " instance"}`;
      const where = declared === "" ? "" : ` at ${declared}`;
      const detail = `This statement declares a move from ${absoluteText(statement, from)}, but that ${noun} is still declared${where}.\n\nChange your configuration so that this ${noun} will be declared as ${absoluteText(statement, to)} instead.`;
      return [errorDiagnostic("Moved object still exists", detail, { subject: statement.range })];
    });
}

// The place of the declaration; undefined where there is none of that instance.
function declaredAt({ path, from }: MoveStatement, evaluator: Evaluator): string | undefined {
  const { modules } = evaluator.context.configuration;
  const names = [...path, ...from.module.steps.map((step) => step.name)];
  const own = from.resource ? names : names.slice(0, -1);
  const module = modules.get(own.map((name) => `module.${name}`).join("."));
  if (!module) return undefined;
  const key = lastKey(from);
  const steps = from.resource ? from.module.steps : from.module.steps.slice(0, -1);
  const resource = from.resource && module.resources.get(resourceText(from.resource));
  const declared = from.resource ? resource : module.calls.get(names.at(-1)!);
  if (!declared) return undefined;
  const isThere = evaluator
    .moduleInstances(module)
    .filter((instance) => steps.every((step, i) => instance.steps[path.length + i]?.key === step.key))
    .some((instance) => {
      const expansion = resource
        ? evaluator.resourceExpansion(instance, resource.address)
        : evaluator.call(instance, names.at(-1)!);
      return expansion !== undefined && expansionKeys(expansion).includes(key);
    });
  return isThere ? placeText(declared.range) : undefined;
}

/** Says of what could not move that it is going to be destroyed. */
export function unresolvedMoves(blocked: MovedState["blocked"]): Diagnostic[] {
  if (blocked.length === 0) return [];
  const lines = blocked.map(({ from, to }) => `\n  - ${from} could not move to ${to}`).sort(compareKeys);
  const detail = `Addresses of the state were to be adjusted as the configuration says, but some of these adjustments did not succeed due to existing objects already at the intended addresses:${lines.join("")}\n\nThese objects are planned to be destroyed. If that is not meant, resolve the conflicts by the "state mv" and "state rm" commands first, and then create a new plan.`;
  return [warningDiagnostic("Unresolved resource instance address changes", detail)];
}

/** Instances that moved and that the targets leave out: half a move would be recorded. */
export function movesOutsideTargets(movedFrom: MovedState["movedFrom"], targets: readonly string[]): Diagnostic[] {
  if (targets.length === 0) return [];
  const missing = new Set<string>();
  for (const [text, from] of movedFrom) {
    const to = parseAddress(text);
    for (const address of [from, ...(to?.kind === "instance" ? [to.address] : [])])
      if (!targets.some((target) => covers(target, address.text)))
        missing.add(absoluteResourceText(address.module, address.resource));
  }
  if (missing.size === 0) return [];
  const lines = [...missing].sort(compareKeys).map((address) => `\n  -target=${JSON.stringify(address)}`);
  const detail = `Resource instances in your current state have moved to new addresses in the latest configuration. They must be included while planning in order to ensure a correct result, but your -target=... options do not fully cover all of those resource instances.\n\nTo create a valid plan, either remove your -target=... options altogether or add the following additional target options:${lines.join("")}\n\nNote that adding these options may include further additional resource instances in your plan, in order to respect object dependencies.`;
  return [errorDiagnostic("Moved resource instances excluded by targeting", detail)];
}
