import type { PathPattern } from "./path-pattern.ts";

/** What a token with the policy may do: rights on paths. */
export interface Policy {
  readonly name: string;
  readonly rules: readonly PathRule[];
}

export const capabilities = ["create", "read", "update", "patch", "delete", "list", "sudo", "deny"] as const;
export type Capability = (typeof capabilities)[number];

export interface PathRule {
  readonly pattern: PathPattern;
  readonly capabilities: readonly Capability[];
  /** Lower-cased names of a body's fields, with the values they may have: none given means any. `*` stands for all names. */
  readonly allowedParameters: ParameterValues;
  readonly deniedParameters: ParameterValues;
  /** Lower-cased names. */
  readonly requiredParameters: readonly string[];
  /** Seconds; 0 for no bound. */
  readonly minWrappingTtl: number;
  /** Seconds; 0 for no bound. */
  readonly maxWrappingTtl: number;
}

/** A text may have a star before it or behind it. */
export type ParameterValues = ReadonlyMap<string, readonly unknown[]>;
