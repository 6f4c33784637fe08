import { messageOf } from "@millwright/core/errors";
import type { Path } from "@millwright/value/path";
import type { ObjectType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { isNull, isWhollyKnown, nullValue } from "@millwright/value/value";
import type { Call } from "./call.ts";
import { checkConfig } from "./check-config.ts";
import { fromPlain, toPlain } from "./codec.ts";
import type { ConfigOf, PlanOf, StateOf, Unsettled } from "./field-types.ts";
import type { Fields } from "./fields.ts";
import { findInterrupted } from "./find-interrupted.ts";
import { impliedType } from "./implied-type.ts";
import { nullWhereUnknown } from "./settle.ts";
import { planFields, replacingPaths } from "./plan-fields.ts";
import { PrivateData } from "./private-data.ts";
import type { Attempt, Problem } from "./problem.ts";
import { problem, problemsOf, toDiagnostics, toPath, warning } from "./problem.ts";
import type {
  ApplyAnswer,
  ApplyCall,
  ImportAnswer,
  ImportCall,
  InterruptedAnswer,
  InterruptedCall,
  MoveAnswer,
  MoveCall,
  PlanAnswer,
  PlanCall,
  ProviderDiagnostics,
  ReadAnswer,
  ReadCall,
  UpgradeCall,
} from "./protocol.ts";
import { readMany } from "./read-many.ts";
import type { PlanChange, ResourceDefinition } from "./resource.ts";
import type { ServedIdentity } from "./resource-identity.ts";
import { identityPart, identityProblems, plannedIdentity, serveIdentity } from "./resource-identity.ts";
import type { Schema } from "./schema.ts";
import { schemaOfFields } from "./schema-of-fields.ts";
import { stateFromJson } from "./state-json.ts";

/** What a call runs with: the provider's client, the signal to end, and the provider's words for operational errors. */
export interface Run<C> {
  readonly client: C;
  readonly signal: AbortSignal;
  readonly explain?: Attempt["explain"];
}

/** A resource type as the protocol sees it: the calls of `Provider` for this one type. */
export interface ServedResource<C> {
  readonly schema: Schema;
  readonly movable: boolean;
  readonly validate: (config: Value) => ProviderDiagnostics;
  readonly upgrade: (call: UpgradeCall) => Promise<UpgradeAnswer>;
  /** Undefined for a type whose objects have no identity. */
  readonly upgradeIdentity?: (call: UpgradeCall) => Promise<UpgradeAnswer>;
  readonly read: (call: ReadCall, run: Run<C>) => Promise<ReadAnswer>;
  /** Undefined for a type that is read one by one. */
  readonly readMany?: (calls: readonly ReadCall[], run: Run<C>) => Promise<readonly ReadAnswer[]>;
  readonly plan: (call: PlanCall, run: Run<C | undefined>) => Promise<PlanAnswer>;
  readonly apply: (call: ApplyCall, run: Run<C>) => Promise<ApplyAnswer>;
  readonly importState: (call: ImportCall, run: Run<C>) => Promise<ImportAnswer>;
  readonly findInterrupted: (call: InterruptedCall, run: Run<C>) => Promise<InterruptedAnswer>;
  readonly move: (call: MoveCall) => Promise<MoveAnswer>;
}

interface UpgradeAnswer {
  readonly upgraded: Value;
  readonly diagnostics: ProviderDiagnostics;
}

/** What every function below works with: the definition, and what follows from it. */
interface Served<F extends Fields, C> {
  readonly name: string;
  readonly definition: ResourceDefinition<F, C>;
  readonly schema: Schema;
  readonly type: ObjectType;
  readonly identity: ServedIdentity | undefined;
  readonly legacyTypeSystem: boolean;
}

export function serveResource<F extends Fields, C>(
  name: string,
  definition: ResourceDefinition<F, C>,
): ServedResource<C> {
  const system = definition.typeSystem ?? "strict";
  const block = schemaOfFields(definition.schema, system, definition);
  const identity = definition.identity && serveIdentity(name, definition.schema, definition.identity);
  const schema = { version: definition.version ?? 0, block, ...(identity ? { identity: identity.schema } : {}) };
  const served = {
    name,
    definition,
    schema,
    type: impliedType(block),
    identity,
    legacyTypeSystem: system === "legacy",
  };
  return {
    schema,
    movable: (definition.moves?.length ?? 0) > 0,
    validate: (config) => validate(served, config),
    upgrade: (call) => upgrade(served, call),
    ...(identity ? { upgradeIdentity: identity.upgrade } : {}),
    read: (call, run) => read(served, call, run),
    ...(definition.readMany ? { readMany: (calls, run) => readMany(served, calls, run) } : {}),
    plan: (call, run) => plan(served, call, run),
    apply: (call, run) => apply(served, call, run),
    importState: (call, run) => importState(served, call, run),
    findInterrupted: (call, run) => findInterrupted(name, definition, served.type, call, run),
    move: (call) => move(served, call),
  };
}

function validate<F extends Fields, C>({ definition, type }: Served<F, C>, config: Value): ProviderDiagnostics {
  const plain = toPlain(config, type) as Unsettled<ConfigOf<F>>;
  const rules = definition.validate?.({ config: plain }) ?? [];
  return toDiagnostics([...checkConfig(definition.schema, config), ...rules], type);
}

async function upgrade<F extends Fields, C>(
  { name, definition, schema, type }: Served<F, C>,
  call: UpgradeCall,
): Promise<UpgradeAnswer> {
  const fail = (detail: string) => ({
    upgraded: nullValue(type),
    diagnostics: toDiagnostics([problem(`Cannot read the state of ${name}`, detail)], type),
  });
  if (call.version > schema.version) {
    return fail(
      `It was written at schema version ${call.version}, and this provider knows versions up to ${schema.version}. Use a newer version of the provider.`,
    );
  }
  if (call.flatmap && call.json === "") {
    return fail(
      "It was written by Terraform 0.11 or older, in a form that this provider does not read. Apply it once with Terraform 0.12 and the provider that it was made with.",
    );
  }
  const state = await stateFromJson(call.json, schema.block, async (old) => {
    let json = old;
    for (let version = call.version; version < schema.version; version++) {
      json = (await definition.upgrades?.[version]?.(json)) ?? json;
    }
    return json;
  });
  return state.ok ? { upgraded: state.value, diagnostics: [] } : fail(state.message);
}

async function read<F extends Fields, C>(
  { name, definition, type, identity }: Served<F, C>,
  call: ReadCall,
  run: Run<C>,
): Promise<ReadAnswer> {
  const { warnings, ...common } = callOf(run);
  const data = PrivateData.fromBytes(call.private);
  const answer = (newState: Value, problems: readonly Problem[]): ReadAnswer => ({
    newState,
    private: data.toBytes(),
    ...identityPart(identity, newState),
    diagnostics: toDiagnostics([...warnings, ...problems], type),
  });
  try {
    const state = await definition.read({ ...common, private: data, state: toPlain(call.current, type) as StateOf<F> });
    const now = fromPlain(state, type, [`${name} read`], call.current);
    return answer(now, identityProblems(identity, "read", call.identity, now));
  } catch (error) {
    const problems = problemsOf(error, { ...run, summary: `Cannot read ${name}` });
    if (!problems) throw error;
    return answer(call.current, problems);
  }
}

function cannotWait(name: string): Problem {
  const detail =
    "Something that it needs is not there, or not known, before other changes are made. Let it be put off with -allow-deferral, or apply what it waits for first (with -target).";
  return problem(`${name} cannot be planned yet`, detail);
}

async function plan<F extends Fields, C>(
  served: Served<F, C>,
  call: PlanCall,
  run: Run<C | undefined>,
): Promise<PlanAnswer> {
  const { definition, type, identity, legacyTypeSystem } = served;
  const { warnings, ...common } = callOf(run);
  const data = PrivateData.fromBytes(call.priorPrivate);
  const answer = (
    planned: Value,
    requiresReplace: readonly Path[],
    { problems = [], notes }: { readonly problems?: readonly Problem[]; readonly notes?: PlanAnswer["notes"] } = {},
  ): PlanAnswer => ({
    planned,
    requiresReplace,
    plannedPrivate: data.toBytes(),
    legacyTypeSystem,
    ...plannedIdentity(identity, call, planned),
    ...(notes ? { notes } : {}),
    diagnostics: toDiagnostics([...warnings, ...problems], type),
  });
  if (isNull(call.proposed)) return answer(call.proposed, []);
  const fields = planFields(definition.schema, call);
  const checked = (planned: Value, requiresReplace: readonly Path[], notes?: PlanAnswer["notes"]) => {
    const kept = requiresReplace.length > 0 || isNull(call.prior) ? undefined : call.priorIdentity;
    const problems = identityProblems(identity, "plan", kept, planned);
    return answer(planned, requiresReplace, { problems, ...(notes ? { notes } : {}) });
  };
  if (!definition.plan) return checked(fields, replacing(served, call.prior, fields));
  try {
    const change = await definition.plan({
      ...common,
      private: data,
      config: toPlain(call.config, type) as Unsettled<ConfigOf<F>>,
      state: toPlain(call.prior, type) as StateOf<F> | null,
      plan: toPlain(fields, type) as Unsettled<PlanOf<F>>,
      ...(call.promised ? { promised: PrivateData.fromBytes(call.promised) } : {}),
    });
    const planned = changedPlan(served, fields, change);
    if (change?.putOff && call.deferralAllowed) return { ...answer(planned, []), deferral: change.putOff };
    if (change?.putOff) return answer(planned, [], { problems: [cannotWait(served.name)] });
    const further = change?.replace?.map((place) => toPath(place, type)) ?? [];
    const replaces = [...replacing(served, call.prior, planned), ...further];
    return checked(planned, replaces, change?.notes);
  } catch (error) {
    const problems = problemsOf(error, { ...run, summary: `Cannot plan ${served.name}` });
    if (!problems) throw error;
    return answer(fields, [], { problems });
  }
}

function changedPlan<F extends Fields, C>(
  { name, type }: Served<F, C>,
  planned: Value,
  change: PlanChange<F> | undefined,
): Value {
  return change?.plan ? fromPlain(change.plan, type, [`${name} plan`], planned) : planned;
}

function replacing<F extends Fields, C>({ definition }: Served<F, C>, prior: Value, planned: Value): readonly Path[] {
  return isNull(prior) ? [] : replacingPaths(definition.schema, prior, planned, definition.update === undefined);
}

async function apply<F extends Fields, C>(served: Served<F, C>, call: ApplyCall, run: Run<C>): Promise<ApplyAnswer> {
  const { name, type, identity, legacyTypeSystem } = served;
  const { warnings, ...common } = callOf(run);
  const data = PrivateData.fromBytes(call.plannedPrivate);
  const verb = isNull(call.planned) ? "delete" : isNull(call.prior) ? "create" : "update";
  // Until the author says otherwise, what is there after a failure is what was there before.
  let kept = call.prior;
  const keep = (state: StateOf<F>) => {
    kept = nullWhereUnknown(
      fromPlain(state, type, [`${name} ${verb}`], isNull(call.planned) ? call.prior : call.planned),
    );
  };
  const answer = (newState: Value, problems: readonly Problem[]): ApplyAnswer => ({
    newState,
    private: data.toBytes(),
    ...identityPart(identity, newState),
    legacyTypeSystem,
    diagnostics: toDiagnostics([...warnings, ...problems], type),
  });
  try {
    const result = await carryOut(served, verb, call, { ...common, private: data, keep });
    const newState = fromPlain(result, type, [`${name} ${verb}`], call.planned);
    if (isWhollyKnown(newState)) {
      // What an update starts from is not told to it, but by the plan that it carries out.
      const before = verb === "update" && identity ? identity.of(call.prior) : undefined;
      const problems = verb === "delete" ? [] : identityProblems(identity, verb, before, newState);
      return answer(newState, problems);
    }
    return answer(nullWhereUnknown(newState), [unsettledProblem(name, verb)]);
  } catch (error) {
    // A bug is told like a failure: it must not take what is known of the object with it.
    const bug = problem(
      `Provider bug: ${name} could not ${verb}`,
      `${messageOf(error)}\nPlease report this to the provider's developers.`,
    );
    return answer(kept, problemsOf(error, { ...run, summary: `Cannot ${verb} ${name}` }) ?? [bug]);
  }
}

type ApplyContext<F extends Fields, C> = Call<C> & { readonly private: PrivateData; keep(state: StateOf<F>): void };

async function carryOut<F extends Fields, C>(
  served: Served<F, C>,
  verb: "create" | "update" | "delete",
  call: ApplyCall,
  context: ApplyContext<F, C>,
): Promise<StateOf<F> | null> {
  const { definition, type } = served;
  const state = toPlain(call.prior, type) as StateOf<F>;
  if (verb === "delete") {
    await definition.delete({ ...context, state });
    return null;
  }
  const wanted = {
    ...context,
    config: toPlain(call.config, type) as ConfigOf<F>,
    plan: toPlain(call.planned, type) as PlanOf<F>,
  };
  if (verb === "create") return definition.create(wanted);
  // Without an update function the only change that gets here is one that the world does not see.
  return definition.update ? definition.update({ ...wanted, state }) : (wanted.plan as unknown as StateOf<F>);
}

function unsettledProblem(name: string, verb: string): Problem {
  return problem(
    `Provider bug: ${name} left values unsettled`,
    `After ${verb} every attribute has to have a value. Please report this to the provider's developers.`,
  );
}

async function importState<F extends Fields, C>(
  { name, definition, type, identity }: Served<F, C>,
  call: ImportCall,
  run: Run<C>,
): Promise<ImportAnswer> {
  const { warnings, ...common } = callOf(run);
  const fail = (problems: readonly Problem[]) => ({
    imported: [],
    diagnostics: toDiagnostics([...warnings, ...problems], type),
  });
  if (!definition.import) {
    return fail([
      problem("Resource import not supported", `${name} cannot be imported: nothing about it can be found by an ID.`),
    ]);
  }
  const asked = call.identity && identity ? identity.importId(call.identity) : { id: call.id };
  if (!("id" in asked)) return fail([asked]);
  const { id } = asked;
  try {
    const state = fromPlain(await definition.import({ ...common, id }), type, [`${name} import`]);
    const object = { type: name, state, private: new Uint8Array(), ...identityPart(identity, state) };
    return { imported: [object], diagnostics: toDiagnostics(warnings, type) };
  } catch (error) {
    const problems = problemsOf(error, { ...run, summary: `Cannot import ${name} ${JSON.stringify(id)}` });
    if (!problems) throw error;
    return fail(problems);
  }
}

async function move<F extends Fields, C>(
  { name, definition, schema, type, identity }: Served<F, C>,
  call: MoveCall,
): Promise<MoveAnswer> {
  const fail = (detail: string) => ({
    target: nullValue(type),
    private: new Uint8Array(),
    diagnostics: toDiagnostics([problem("Unable to move resource state", detail)], type),
  });
  const found = definition.moves?.find((m) => m.type === call.sourceType && m.provider === call.sourceProvider);
  if (!found) return fail(`${name} cannot take over the state of a ${call.sourceType} of ${call.sourceProvider}.`);
  const state = await stateFromJson(call.sourceJson, schema.block, found.move);
  if (!state.ok) return fail(state.message);
  const target = state.value;
  return { target, private: call.sourcePrivate, ...identityPart(identity, target), diagnostics: [] };
}

function callOf<C>({ client, signal }: Run<C>): Call<C> & { readonly warnings: readonly Problem[] } {
  const warnings: Problem[] = [];
  return { client, signal, warnings, warn: (summary, detail, at) => warnings.push(warning(summary, detail, at)) };
}
