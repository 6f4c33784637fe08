import { OperationalError } from "@millwright/core/errors";
import { parseDuration, toMilliseconds } from "@millwright/text/duration";
import { recordsErrors } from "./errors.ts";

/** How a read wants to be answered. */
export interface ReadOptions {
  readonly consistency: "default" | "consistent" | "stale";
  /** Wait until the result's index is above this one; 0 answers at once. */
  readonly index: number;
  /** Milliseconds to wait at most, without the jitter. */
  readonly wait: number;
}

const defaultWait = 300_000;
const longestWait = 600_000;

/** Reads `stale`, `consistent`, `index` and `wait`; `cached` asks for less than is given. Throws `badRequest`. */
export function parseReadOptions(query: URLSearchParams): ReadOptions {
  const stale = query.has("stale") || isPositiveDuration(query.get("max_stale"));
  if (stale && query.has("consistent")) {
    throw badRequest("Cannot specify ?stale with ?consistent, conflicting semantics.");
  }
  if (query.has("cached") && query.has("consistent")) {
    throw badRequest("Cannot specify ?cached with ?consistent, conflicting semantics.");
  }
  return {
    consistency: stale ? "stale" : query.has("consistent") ? "consistent" : "default",
    wait: parseWait(query.get("wait")),
    index: parseIndex(query.get("index")),
  };
}

function parseIndex(text: string | null): number {
  if (!text) return 0;
  if (!/^\d{1,20}$/.test(text) || BigInt(text) >= 1n << 64n) throw badRequest("Invalid index");
  return Number(text);
}

function parseWait(text: string | null): number {
  if (!text) return defaultWait;
  const parsed = parseDuration(text);
  if (!parsed.ok) throw badRequest("Invalid wait time");
  const wait = toMilliseconds(parsed.duration);
  return wait <= 0 ? defaultWait : Math.min(wait, longestWait);
}

function isPositiveDuration(text: string | null): boolean {
  if (!text) return false;
  const parsed = parseDuration(text);
  if (!parsed.ok) throw badRequest(`Invalid max_stale value ${JSON.stringify(text)}`);
  return parsed.duration > 0n;
}

function badRequest(message: string): OperationalError {
  return new OperationalError(recordsErrors.badRequest, message);
}
