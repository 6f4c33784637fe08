import type { Diagnostic } from "@millwright/core/diagnostics";
import { Bug } from "@millwright/core/errors";
import type { SecretStorage } from "../storage.ts";
import type { Acl } from "./acl.ts";

/** The policies by name. Names are compared in lower case. */
export interface PolicyStore {
  /** Sorted, with `default` and `root`. */
  list(): Promise<readonly string[]>;
  get(name: string): Promise<StoredPolicy | undefined>;
  put(name: string, text: string): Promise<PolicyOutcome>;
  /** Of a policy that there is not, nothing happens. */
  delete(name: string): Promise<PolicyOutcome>;
  /** What these policies allow together; names that there is no policy of give nothing. */
  aclOf(names: readonly string[]): Promise<Acl>;
}

export interface StoredPolicy {
  readonly name: string;
  /** As it was written; empty for `root`. */
  readonly text: string;
}

export type PolicyOutcome =
  | { readonly kind: "done"; readonly warnings: readonly Diagnostic[] }
  /** It has faults; their ranges name the file `NAME.hcl`. */
  | { readonly kind: "faulty"; readonly diagnostics: readonly Diagnostic[] }
  /** A policy that is built in, or a name that cannot be. */
  | { readonly kind: "refused"; readonly why: string };

/** `storage` holds nothing but policies. */
export function openPolicies(_options: { readonly storage: SecretStorage }): PolicyStore {
  throw new Bug("policies are being built");
}
