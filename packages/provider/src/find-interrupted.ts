import type { ObjectType } from "@millwright/value/types";
import { toPlain, fromPlain } from "./codec.ts";
import type { SentOf, StateOf } from "./field-types.ts";
import type { Fields } from "./fields.ts";
import { problemsOf } from "./problem.ts";
import type { InterruptedAnswer, InterruptedCall } from "./protocol.ts";
import type { ResourceDefinition } from "./resource.ts";
import type { Run } from "./serve-resource.ts";
import { nullWhereUnknown } from "./settle.ts";

/** Answers for a resource whether the object of a create without an answer is there; see `interrupted` of its definition. */
export async function findInterrupted<F extends Fields, C>(
  name: string,
  { interrupted }: ResourceDefinition<F, C>,
  type: ObjectType,
  { sent }: InterruptedCall,
  { client, signal, explain }: Run<C>,
): Promise<InterruptedAnswer> {
  if (interrupted === undefined) return { kind: "unknown", why: `a ${name} cannot be found by what was sent` };
  if (interrupted === "nothing-outside") return { kind: "absent" };
  try {
    const state: StateOf<F> | null = await interrupted({ client, signal, sent: toPlain(sent, type) as SentOf<F> });
    if (state === null) return { kind: "absent" };
    return { kind: "present", state: nullWhereUnknown(fromPlain(state, type, [`${name} interrupted`])) };
  } catch (error) {
    const problems = problemsOf(error, { summary: `Cannot look for ${name}`, signal, explain });
    if (!problems) throw error;
    return { kind: "unknown", why: problems.map(({ summary, detail }) => `${summary}: ${detail}`).join("; ") };
  }
}
