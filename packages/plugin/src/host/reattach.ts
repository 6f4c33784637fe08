import type { ProtocolVersion } from "../wire/schema-messages.ts";
import type { PluginAddress } from "./handshake.ts";
import { readAddress } from "./handshake.ts";

/** Where a provider listens that somebody else has started. */
export interface ReattachTarget {
  readonly version: ProtocolVersion;
  readonly address: PluginAddress;
}

/** By the provider's source as it was written. `problem` is a whole sentence. */
export type ReattachTargets =
  | { readonly ok: true; readonly targets: ReadonlyMap<string, ReattachTarget> }
  | { readonly ok: false; readonly problem: string };

/**
 * Reads `TF_REATTACH_PROVIDERS`: JSON by provider source, as programs that run a provider under a debugger print it.
 * Source: Terraform's documentation, "Debugging Providers".
 */
export function readReattach(text: string | undefined): ReattachTargets {
  const targets = new Map<string, ReattachTarget>();
  if (!text) return { ok: true, targets };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { ok: false, problem: "TF_REATTACH_PROVIDERS is no JSON." };
  }
  if (!isRecord(parsed)) return { ok: false, problem: "TF_REATTACH_PROVIDERS is no JSON object by provider source." };
  for (const [source, config] of Object.entries(parsed)) {
    const target = isRecord(config) ? readTarget(config) : "is no object";
    if (typeof target === "string")
      return { ok: false, problem: `TF_REATTACH_PROVIDERS: what it says of ${source} ${target}.` };
    targets.set(source, target);
  }
  return { ok: true, targets };
}

function readTarget(config: Readonly<Record<string, unknown>>): ReattachTarget | string {
  const { Protocol: protocol, ProtocolVersion: version = 0, Addr: address } = config;
  if (protocol !== "grpc") return `has the protocol ${JSON.stringify(protocol)}, where only "grpc" will do`;
  // Version 0 is what programs of before version 6 print.
  if (version !== 0 && version !== 5 && version !== 6)
    return `has the version ${String(version)}, where 5 or 6 will do`;
  const { Network: network, String: text } = isRecord(address) ? address : {};
  const place = typeof network === "string" && typeof text === "string" ? readAddress(network, text) : undefined;
  if (!place) return "has no address (Addr with Network and String) that can be reached";
  return { version: version === 6 ? 6 : 5, address: place };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
