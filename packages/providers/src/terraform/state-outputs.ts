import { messageOf } from "@millwright/core/errors";
import { fromPlain } from "@millwright/value/json";
import { parsePlain } from "@millwright/value/plain-json";
import { typeFromPlain } from "@millwright/value/type-json";
import type { Value } from "@millwright/value/value";

/** The outputs of a state, or why it cannot be read, as a sentence. */
export type StateOutputs =
  | { readonly ok: true; readonly values: readonly (readonly [string, Value])[] }
  | { readonly ok: false; readonly message: string };

/** Reads the outputs of a state file of format version 4; nothing else in it is looked at. */
export function outputsOfState(text: string): StateOutputs {
  let state: unknown;
  try {
    state = parsePlain(text);
  } catch (error) {
    return { ok: false, message: `The state file is no JSON: ${messageOf(error)}.` };
  }
  const { version, outputs } = recordOf(state) ?? {};
  if (version !== 4)
    return { ok: false, message: "The state file is not of format version 4, the one that can be read here." };
  const values: [string, Value][] = [];
  for (const [name, output] of Object.entries(recordOf(outputs) ?? {})) {
    const { value, type } = recordOf(output) ?? {};
    const known = typeFromPlain(type);
    const decoded = known && fromPlain(value, known);
    if (!decoded?.ok)
      return {
        ok: false,
        message: `The output ${JSON.stringify(name)} cannot be read: its value and its type do not fit.`,
      };
    values.push([name, decoded.value]);
  }
  return { ok: true, values };
}

function recordOf(plain: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof plain === "object" && plain !== null ? (plain as Record<string, unknown>) : undefined;
}
