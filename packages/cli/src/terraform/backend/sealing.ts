import { inClear, type Sealing } from "@millwright/engine/backend/sealing";
import type { GivenFlag } from "../options.ts";
import type { Session } from "../session.ts";

/** How what is written is to be encrypted; undefined where that cannot be told, which was reported. */
export async function sealingOf(
  _session: Session,
  _occurrences: readonly GivenFlag[],
  _what: "state" | "plan",
): Promise<Sealing | undefined> {
  return inClear;
}
