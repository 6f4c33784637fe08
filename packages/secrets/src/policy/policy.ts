import type { Diagnosed } from "@millwright/core/diagnostics";
import { Bug } from "@millwright/core/errors";

/** What a token with the policy may do: rights on paths. */
export interface Policy {
  readonly name: string;
  readonly rules: readonly PathRule[];
}

export type Capability = "create" | "read" | "update" | "patch" | "delete" | "list" | "sudo" | "deny";

export interface PathRule {
  readonly pattern: PathPattern;
  readonly capabilities: readonly Capability[];
  /** Lower-cased names of a body's fields, with the values they may have: none given means any. `*` stands for all names. */
  readonly allowedParameters: ReadonlyMap<string, readonly unknown[]>;
  readonly deniedParameters: ReadonlyMap<string, readonly unknown[]>;
  readonly requiredParameters: readonly string[];
  /** Seconds; 0 for no bound. */
  readonly minWrappingTtl: number;
  /** Seconds; 0 for no bound. */
  readonly maxWrappingTtl: number;
}

/** `secret/app`, `secret/*` (a prefix), `secret/+/app` (one whole segment). */
export interface PathPattern {
  /** As it is written, without a leading slash and without a star at the end. */
  readonly text: string;
  readonly isPrefix: boolean;
  readonly hasSegmentWildcards: boolean;
}

/** Reads a policy written in HCL or JSON; ranges name the file `NAME.hcl`. What could be read is in the value. */
export function parsePolicy(_name: string, _text: string): Diagnosed<Policy> {
  throw new Bug("policies are being built");
}
