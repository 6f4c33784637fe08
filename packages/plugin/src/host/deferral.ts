import type { ProviderDiagnostic } from "@millwright/provider/protocol";
import type { DeferredMessage } from "../wire/common.ts";

/** What is said where a provider puts off a decision, though it was told that this is not possible. */
export function deferredDiagnostic(reason: DeferredMessage["reason"], doing: string): ProviderDiagnostic {
  return {
    severity: "error",
    summary: "Provider put off its answer",
    detail: `${doing} was put off by the provider: ${reasons[reason]} Apply what is missing first (with -target), then this.`,
  };
}

const reasons: Readonly<Record<DeferredMessage["reason"], string>> = {
  unknown: "it did not say why.",
  "resource-config-unknown": "part of the resource's configuration is known only after apply.",
  "provider-config-unknown": "part of the provider's configuration is known only after apply.",
  "absent-prerequisite": "something that it needs is not there yet.",
};
