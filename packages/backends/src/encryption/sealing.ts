import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import type { Body } from "@millwright/hcl/ast";
import type { Value } from "@millwright/value/value";
import { inClear, type Sealing } from "@millwright/engine/backend/sealing";
import type { BackendPorts } from "../backend-type.ts";
import { EncryptedSealing } from "./encrypted-sealing.ts";
import { type EncryptionConfig, readEncryption, type Target } from "./encryption-config.ts";
import { type EvaluateArgument, type MethodRecipe, methodRecipe } from "./recipe.ts";

/** What is encrypted: the folder's state, its plans, or the states of others that it reads. */
export type Sealed = "state" | "plan" | "remote";

export interface SealingRequest {
  /** The `encryption` block of the configuration and what TF_ENCRYPTION says, in this order. */
  readonly bodies: readonly Body[];
  readonly what: Sealed;
  readonly evaluate: EvaluateArgument;
  readonly ports: BackendPorts;
}

/** How something is written and read; undefined where the configuration is wrong, which the diagnostics say. */
export function makeSealing(request: SealingRequest): Diagnosed<Sealing | undefined> {
  const { bodies, what, evaluate, ports } = request;
  const { value: config, diagnostics: found } = readEncryption(bodies);
  const diagnostics: Diagnostic[] = [...found];
  const target = targetOf(config, what);
  if (hasErrors(diagnostics)) return { value: undefined, diagnostics };
  if (!target) return { value: inClear, diagnostics };
  const recipes: MethodRecipe[] = [];
  for (const address of target.methods) {
    const { value, diagnostics: more } = methodRecipe(config, address, target.range, evaluate);
    diagnostics.push(...more);
    if (value) recipes.push(value);
  }
  diagnostics.push(...refusedClear(target, recipes, what, evaluate));
  if (hasErrors(diagnostics)) return { value: undefined, diagnostics };
  if (recipes.length === 0) return { value: inClear, diagnostics };
  return { value: new EncryptedSealing(recipes, what !== "plan", ports), diagnostics };
}

function targetOf(config: EncryptionConfig, what: Sealed): Target | undefined {
  return what === "remote" ? config.remote?.default : config[what];
}

function refusedClear(
  { methods, enforced, range }: Target,
  recipes: readonly MethodRecipe[],
  what: Sealed,
  evaluate: EvaluateArgument,
): readonly Diagnostic[] {
  const said = enforced.map((expression) => evaluate(expression, `${what}.enforced`));
  const diagnostics = said.flatMap((one) => one.diagnostics);
  if (hasErrors(diagnostics) || !said.some(({ value }) => isTrue(value))) return diagnostics;
  if (methods.length === 0) {
    const detail = `The ${what} has to be encrypted (enforced = true), and no method says how. Name one: method = method.aes_gcm.main.`;
    return [errorDiagnostic("No encryption method", detail, { subject: range })];
  }
  const clear = recipes.find(({ method }) => method === undefined);
  if (!clear) return diagnostics;
  const detail = `The ${what} has to be encrypted (enforced = true), and ${clear.address} does not encrypt. Take it out, or set enforced to false until what is there is encrypted.`;
  return [errorDiagnostic("Unencrypted method is forbidden", detail, { subject: range })];
}

function isTrue({ data }: Value): boolean {
  return data === true;
}
