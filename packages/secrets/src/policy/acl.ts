import { Bug } from "@millwright/core/errors";
import type { Operation } from "../engine.ts";
import type { Capability, Policy } from "./policy.ts";

/** What some policies allow together. Pure: the same question has the same answer. */
export interface Acl {
  /** Whether the policy `root` is among them: then everything is allowed. */
  readonly isRoot: boolean;
  check(question: AclQuestion): AclAnswer;
  /** What may be done at a path, sorted; `["root"]`, and `["deny"]` where nothing may. */
  capabilities(path: string): readonly (Capability | "root")[];
}

export interface AclQuestion {
  readonly operation: Operation;
  /** Without a leading slash and without `v1`: `secret/data/app`. Of a list with or without a slash at its end. */
  readonly path: string;
  /** The body of a write: its fields are held against allowed, denied and required parameters. */
  readonly data: Readonly<Record<string, unknown>>;
}

export interface AclAnswer {
  readonly isAllowed: boolean;
  /** Whether `sudo` is among the capabilities here. */
  readonly hasSudo: boolean;
  /** The names of the policies that gave it, sorted; for the audit. */
  readonly grantedBy: readonly string[];
}

export function compileAcl(_policies: readonly Policy[]): Acl {
  throw new Bug("access lists are being built");
}
