import type { CheckDefinition } from "./check-definition.ts";
import { badRequest } from "./request-body.ts";

/** Throws `badRequest` where a client registers a script and this node does not take them from clients. */
export function refuseScripts(checks: readonly CheckDefinition[], allowed: "none" | "local" | "all"): void {
  if (allowed === "all" || !checks.some(({ probe }) => probe.kind === "script")) return;
  throw badRequest(
    allowed === "none"
      ? "Scripts are disabled on this agent; to enable, configure 'enable_script_checks' or 'enable_local_script_checks' to true"
      : "Scripts are disabled on this agent from remote calls; to enable, configure 'enable_script_checks' to true",
  );
}
