import type { EngineReply } from "./engine.ts";

type RefusedStatus = Extract<EngineReply, { kind: "refused" }>["status"];

/** A refusal that says one thing. */
export function refusal(status: RefusedStatus, ...errors: readonly string[]): EngineReply {
  return { kind: "refused", status, errors };
}

/** The path is known, and this operation is not for it. */
export const unsupported: EngineReply = refusal(405, "unsupported operation");

/** What a write warns of: the fields that were given and are not among `known`. */
export function unknownFieldWarnings(
  data: Readonly<Record<string, unknown>>,
  known: readonly string[],
): readonly string[] {
  const unknown = Object.keys(data).filter((name) => !known.includes(name));
  return unknown.length === 0 ? [] : [`Endpoint ignored these unrecognized parameters: [${unknown.sort().join(" ")}]`];
}
