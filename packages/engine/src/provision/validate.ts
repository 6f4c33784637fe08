import type { Diagnostic } from "@millwright/core/diagnostics";
import type { ModuleInstance } from "../addresses.ts";
import type { Resource } from "../configuration.ts";
import type { Evaluator, InstanceData } from "../evaluator.ts";
import { decodeProvisioner, unknownProvisioner } from "./run.ts";

/** Looks at the provisioners of a resource as far as that goes before anything is there: `self` is not known. */
export async function checkProvisioners(
  evaluator: Evaluator,
  { provisioners = [] }: Resource,
  module: ModuleInstance,
  instance: InstanceData,
): Promise<readonly Diagnostic[]> {
  const found: Diagnostic[] = [];
  for (const block of provisioners) {
    const provisioner = await evaluator.context.provisioners?.find(block.type);
    if (!provisioner) found.push(unknownProvisioner(evaluator, block));
    else found.push(...decodeProvisioner(evaluator, block, provisioner, module, instance).diagnostics);
  }
  return found;
}
