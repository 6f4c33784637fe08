import type { EngineReply } from "../engine.ts";
import { refusal } from "../replies.ts";

/** Bytes of JSON that one secret may have: with what is kept about its versions it fits into one commit. */
export const largestSecret = 384 * 1024;

export function tooLarge(bytes: number): EngineReply {
  return refusal(
    400,
    `The secret is ${bytes} bytes of JSON, and at most ${largestSecret} are kept. Cut it into several, or keep the bulk ` +
      "elsewhere, encrypted under a key that is kept here.",
  );
}
