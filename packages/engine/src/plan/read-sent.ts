import { conforms } from "@millwright/provider/implied-type";
import type { InterruptedAnswer, InterruptedCall, Provider } from "@millwright/provider/protocol";
import type { BlockSchema, Schema } from "@millwright/provider/schema";
import { rawEquals } from "@millwright/value/operations";
import { asMap, isNull, type Value } from "@millwright/value/value";
import { disagreementText } from "../change/agreement.ts";
import { noPrivate } from "../state.ts";

/**
 * Settles a create without an answer for a provider that speaks the plugin protocol and nothing beyond it. Where the `id` of
 * the planned object was known before the call, the configuration gives the object its identity, and reading what was sent
 * tells whether it is there. Where it was not, the provider alone knows what it made: that cannot be told.
 */
export async function readSent(
  provider: Provider,
  schema: Schema,
  { type, sent }: InterruptedCall,
): Promise<InterruptedAnswer> {
  if (!hasKnownId(sent)) return { kind: "unknown", why: "the provider gives it its identity, and could not say which" };
  const answer = await provider.readResource({ type, current: sent, private: noPrivate });
  const wrong = answer.diagnostics.filter(({ severity }) => severity === "error");
  if (wrong.length > 0)
    return { kind: "unknown", why: wrong.map(({ summary, detail }) => `${summary}: ${detail}`).join("; ") };
  const { newState, private: bytes } = answer;
  if (isNull(newState)) return { kind: "absent" };
  const misfits = conforms(newState, schema.block);
  if (misfits.length > 0)
    return { kind: "unknown", why: `what was read does not fit: ${misfits.map(disagreementText).join("; ")}` };
  // A provider that looks nowhere when it reads gives back what it got, with what it should have made up still missing.
  if (rawEquals(newState, sent) && lacksComputed(newState, schema.block))
    return { kind: "unknown", why: "its provider gave back what was sent, as if it had not looked" };
  return { kind: "present", state: newState, private: bytes };
}

function hasKnownId(sent: Value): boolean {
  const id = sent.type.kind === "object" && !isNull(sent) ? asMap(sent).get("id") : undefined;
  return id !== undefined && id.type.kind === "string" && !isNull(id) && id.data !== "";
}

function lacksComputed(object: Value, { attributes }: BlockSchema): boolean {
  const values = asMap(object);
  return [...attributes].some(([name, { computed }]) => computed === true && isNull(values.get(name)!));
}
