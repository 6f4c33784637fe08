import { parseDuration, toMilliseconds } from "@millwright/text/duration";
import { WireFields, WireMistake } from "@millwright/text/wire-fields";
import { badRequest } from "./parameters.ts";
import type { ServiceCheck } from "./session-records.ts";

/** What `PUT /v1/session/create` asks for, with its defaults. */
export interface SessionRequest {
  readonly name: string;
  /** Empty where the one that is asked is meant. */
  readonly node: string;
  readonly lockDelay: number;
  readonly behavior: "release" | "delete";
  readonly ttl: string;
  /** Milliseconds; 0 for none. */
  readonly ttlMilliseconds: number;
  readonly nodeChecks: readonly string[];
  readonly serviceChecks: readonly ServiceCheck[];
}

const defaultLockDelay = 15_000;
const shortestTtl = 10_000;
const longestTtl = 24 * 3_600_000;
/** The check that every node has which says that it lives. */
const defaultCheck = "serfHealth";

/** Reads the body, which may be empty. Throws `badRequest`. */
export function parseSession(body: Uint8Array): SessionRequest {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    const fields = new WireFields(text.trim() === "" ? {} : JSON.parse(text), "the body");
    const ttl = fields.text("TTL");
    return {
      name: fields.text("Name"),
      node: fields.text("Node"),
      lockDelay: fields.has("LockDelay") ? lockDelayOf(fields.raw("LockDelay")) : defaultLockDelay,
      behavior: behaviorOf(fields.text("Behavior")),
      ttl,
      ttlMilliseconds: ttlOf(ttl),
      nodeChecks: nodeChecksOf(fields),
      serviceChecks: fields.list("ServiceChecks").map(serviceCheckOf),
    };
  } catch (error) {
    if (!(error instanceof WireMistake) && !(error instanceof SyntaxError) && !(error instanceof TypeError))
      throw error;
    throw badRequest(`Request decode failed: ${error.message}`);
  }
}

function nodeChecksOf(fields: WireFields): readonly string[] {
  if (fields.has("NodeChecks")) return fields.texts("NodeChecks");
  // Its name before services' checks stood apart.
  return fields.has("Checks") ? fields.texts("Checks") : [defaultCheck];
}

function serviceCheckOf(value: unknown): ServiceCheck {
  const fields = new WireFields(value, "ServiceChecks");
  return { id: fields.text("ID"), namespace: fields.text("Namespace") };
}

// A duration, or a number: of seconds where it is small, else of nanoseconds.
function lockDelayOf(value: unknown): number {
  if (typeof value === "number" && value >= 0) return value < 1_000 ? value * 1_000 : value / 1_000_000;
  if (typeof value === "string") {
    const parsed = parseDuration(value);
    if (parsed.ok && parsed.duration >= 0n) return toMilliseconds(parsed.duration);
    throw badRequest(`Invalid LockDelay ${JSON.stringify(value)}: ${parsed.ok ? "it is negative" : parsed.error}`);
  }
  throw badRequest("Invalid LockDelay: write a duration such as 15s, or seconds");
}

function behaviorOf(text: string): "release" | "delete" {
  if (text === "" || text === "release") return "release";
  if (text === "delete") return "delete";
  throw badRequest(`Invalid Behavior setting '${text}': write release or delete`);
}

function ttlOf(text: string): number {
  if (text === "") return 0;
  const parsed = parseDuration(text);
  if (!parsed.ok) throw badRequest(`Session TTL '${text}' invalid: ${parsed.error}`);
  const ttl = toMilliseconds(parsed.duration);
  if (ttl !== 0 && (ttl < shortestTtl || ttl > longestTtl)) {
    throw badRequest(`Invalid Session TTL '${text}', must be between [10s=24h0m0s]`);
  }
  return ttl;
}
