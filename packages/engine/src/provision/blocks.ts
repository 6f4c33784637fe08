import type { SourceRange } from "@millwright/core/source";
import type { Body, Node } from "@millwright/hcl/ast";
import type { ParsedReference } from "../references.ts";
import { referencesOfBody } from "../references.ts";

/** One `provisioner` block of a resource. */
export interface ProvisionerBlock {
  /** `local-exec`. */
  readonly type: string;
  readonly when: "create" | "destroy";
  readonly onFailure: "fail" | "continue";
  /** What is left for the provisioner's own schema. */
  readonly body: Body;
  /** How the machine is reached: first what the resource says, then what the block itself says. */
  readonly connections: readonly Body[];
  readonly range: SourceRange;
  readonly header: Node;
}

/** All that a provisioner's arguments, and those of its connections, refer to. */
export function referencesOfProvisioner({ body, connections }: ProvisionerBlock): readonly ParsedReference[] {
  return [body, ...connections].flatMap(referencesOfBody);
}

/** Those of a resource's provisioners that are for its objects' beginning, or for their end. */
export function provisionersFor(
  { provisioners = [] }: { readonly provisioners?: readonly ProvisionerBlock[] },
  when: ProvisionerBlock["when"],
): readonly ProvisionerBlock[] {
  return provisioners.filter((block) => block.when === when);
}
