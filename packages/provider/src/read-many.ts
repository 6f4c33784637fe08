import { invariant } from "@millwright/core/errors";
import type { ObjectType } from "@millwright/value/types";
import { fromPlain, toPlain } from "./codec.ts";
import type { StateOf } from "./field-types.ts";
import type { Fields } from "./fields.ts";
import { PrivateData } from "./private-data.ts";
import { problemsOf, toDiagnostics } from "./problem.ts";
import type { ReadAnswer, ReadCall } from "./protocol.ts";
import type { ResourceDefinition } from "./resource.ts";
import type { ServedIdentity } from "./resource-identity.ts";
import { identityPart, identityProblems } from "./resource-identity.ts";
import type { Run } from "./serve-resource.ts";

/** Where an object remembers the change token that it was last read at. */
const tokenName = "millwright:change-token";

/** Reads several objects of one type: those that have not changed by the type's token as they were, the others in one go. */
export async function readMany<F extends Fields, C>(
  {
    name,
    definition,
    type,
    identity,
  }: {
    readonly name: string;
    readonly definition: ResourceDefinition<F, C>;
    readonly type: ObjectType;
    readonly identity: ServedIdentity | undefined;
  },
  calls: readonly ReadCall[],
  run: Run<C>,
): Promise<readonly ReadAnswer[]> {
  const { client, signal } = run;
  try {
    // Asked for before anything is read, so that what changes meanwhile is seen the next time.
    const token = await definition.changeToken?.({ client, signal });
    const answers = new Map<ReadCall, ReadAnswer>();
    const rest: { readonly call: ReadCall; readonly data: PrivateData; readonly state: StateOf<F> }[] = [];
    for (const call of calls) {
      const data = PrivateData.fromBytes(call.private);
      if (token !== undefined && data.get(tokenName) === token)
        answers.set(call, {
          newState: call.current,
          private: call.private,
          ...identityPart(identity, call.current),
          diagnostics: [],
          unread: true,
        });
      else rest.push({ call, data, state: toPlain(call.current, type) as StateOf<F> });
    }
    const states =
      rest.length === 0
        ? []
        : await readRest(
            definition,
            rest.map(({ state }) => state),
            run,
          );
    invariant(states.length === rest.length, `readMany of ${name} gives as many objects as it was asked for`);
    for (const [at, { call, data }] of rest.entries()) {
      if (token === undefined) data.delete(tokenName);
      else data.set(tokenName, token);
      const newState = fromPlain(states[at]!, type, [`${name} readMany`], call.current);
      answers.set(call, {
        newState,
        private: data.toBytes(),
        ...identityPart(identity, newState),
        diagnostics: toDiagnostics(identityProblems(identity, "read", call.identity, newState), type),
      });
    }
    return calls.map((call) => answers.get(call)!);
  } catch (error) {
    const problems = problemsOf(error, { ...run, summary: `Cannot read ${name}` });
    if (!problems) throw error;
    const diagnostics = toDiagnostics(problems, type);
    return calls.map(({ current, private: bytes }) => ({ newState: current, private: bytes, diagnostics }));
  }
}

async function readRest<F extends Fields, C>(
  definition: ResourceDefinition<F, C>,
  states: readonly StateOf<F>[],
  { client, signal }: Run<C>,
): Promise<readonly (StateOf<F> | null)[]> {
  invariant(definition.readMany, "a type with a change token reads many");
  return definition.readMany({ client, signal, states });
}
