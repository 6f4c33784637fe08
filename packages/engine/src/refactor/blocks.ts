import type { SourceRange } from "@millwright/core/source";
import type { Expression } from "@millwright/hcl/ast";
import type { Value } from "@millwright/value/value";
import type { ResourceAddress } from "../addresses.ts";
import type { ProviderReference } from "../configuration.ts";
import type { ProvisionerBlock } from "../provision/blocks.ts";
import type { Endpoint } from "./endpoint.ts";

/** A `moved` block: what was `from` in the state is `to` from now on. */
export interface MovedBlock {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly range: SourceRange;
}

/** A `removed` block: what becomes of objects whose resource or module is no longer declared. */
export interface RemovedBlock {
  /** Without instance keys. */
  readonly from: Endpoint;
  /** Whether the objects are destroyed, or only forgotten. */
  readonly destroy: boolean;
  /** Those with `when = destroy`. */
  readonly provisioners: readonly ProvisionerBlock[];
  readonly range: SourceRange;
}

/** An `import` block of the root module: an object that exists already is taken over at an address. */
export interface ImportBlock {
  readonly to: ImportTarget;
  /** What the provider knows the object by: a text, or an object of its own making. */
  readonly by: { readonly kind: "id" | "identity"; readonly expression: Expression };
  readonly forEach?: Expression;
  readonly provider?: ProviderReference;
  readonly range: SourceRange;
}

/** An address whose instance keys may still have to be evaluated. */
export interface ImportTarget {
  readonly steps: readonly ImportStep[];
  /** The static path of the module, and the resource in it. */
  readonly module: string;
  readonly resource: ResourceAddress;
  /** The resource without any instance keys. */
  readonly text: string;
  readonly range: SourceRange;
}

export type ImportStep =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "key"; readonly key: Value }
  | { readonly kind: "expression"; readonly expression: Expression };
