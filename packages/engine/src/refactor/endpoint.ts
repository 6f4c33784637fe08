import type { Diagnosed } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import type { ScopeTraversal } from "@millwright/hcl/ast";
import { rangeOf } from "@millwright/hcl/source-file";
import { asNumber } from "@millwright/value/value";
import type { InstanceKey, ModuleInstance, ResourceAddress } from "../addresses.ts";
import { keyText } from "../addresses.ts";
import { parseAddress } from "../parse-address.ts";

/** What a `moved` or `removed` block names: a module or a resource, or one instance of it, as the block's own module sees it. */
export interface Endpoint {
  /** Relative to the module that the block stands in. */
  readonly module: ModuleInstance;
  /** Left out where a module itself is meant. */
  readonly resource?: ResourceAddress;
  /** Of the resource; that of a module is in its last step. */
  readonly key: InstanceKey;
  /** As it is written, relative. */
  readonly text: string;
  readonly range: SourceRange;
}

/** The instance key of the object that an end names, be it a resource or a module. */
export function lastKey({ module, resource, key }: Endpoint): InstanceKey {
  return resource ? key : module.steps.at(-1)?.key;
}

/** Reads a static reference as one end of a move or of a removal. */
export function endpointOf(traversal: ScopeTraversal): Diagnosed<Endpoint | undefined> {
  const text = traversalText(traversal);
  const range = rangeOf(traversal);
  const parsed = parseAddress(text);
  if (!parsed) {
    const detail = `"${text}" is not the address of a module, a resource or an instance, such as module.a, aws_instance.b or aws_instance.b["key"]. An instance key stands in square brackets.`;
    return { value: undefined, diagnostics: [errorDiagnostic("Invalid address", detail, { subject: range })] };
  }
  if (parsed.kind === "module")
    return { value: { module: parsed.module, key: undefined, text, range }, diagnostics: [] };
  const { module, resource, key } = parsed.address;
  return { value: { module, resource, key, text, range }, diagnostics: [] };
}

/** A static reference as an address is written. */
export function traversalText({ root, steps }: ScopeTraversal): string {
  return root.name + steps.map((step) => (step.kind === "attribute" ? `.${step.name}` : stepText(step.key))).join("");
}

function stepText(key: { readonly data: unknown } & Parameters<typeof asNumber>[0]): string {
  return keyText(typeof key.data === "string" ? key.data : asNumber(key).toNumber());
}
