import type { CheckStatus } from "./check-definition.ts";
import { worstStatus } from "./node-state.ts";

/** A check as far as another one that stands for it looks at it. */
export interface AliasedCheck {
  readonly id: string;
  readonly serviceId: string;
  readonly status: CheckStatus;
}

/**
 * The result of a check that stands for a service (its checks and the node's) or, with an empty `serviceId`, for a node.
 */
export function aliasResult(
  serviceId: string,
  checks: readonly AliasedCheck[],
): { readonly status: CheckStatus; readonly output: string } {
  const counted = checks.filter((check) => check.serviceId === "" || check.serviceId === serviceId);
  if (counted.length === 0) return { status: "passing", output: "No checks found." };
  const status = worstStatus(counted.map((check) => check.status));
  if (status === "passing") return { status, output: "All checks passing." };
  const bad = counted.find((check) => check.status === status);
  return { status, output: `Aliased check "${bad?.id}" failing: its status is ${status}.` };
}
