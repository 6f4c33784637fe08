import { invariant } from "@millwright/core/errors";
import { rawEquals } from "@millwright/value/operations";
import type { Type } from "@millwright/value/types";
import { typeEquals } from "@millwright/value/types";
import { Unknown } from "@millwright/value/unknown";
import type { Value } from "@millwright/value/value";
import { asMap, isKnown, isNull, isWhollyKnown, nullValue, objectValue, unknownValue } from "@millwright/value/value";
import { nullWhereUnknown } from "../settle.ts";
import { attributeType, conforms, identityType, impliedType } from "../implied-type.ts";
import type { ImportCall, InterruptedAnswer, PlanAnswer, Provider, ProviderDiagnostics } from "../protocol.ts";
import type { BlockSchema, ProviderSchema, Schema } from "../schema.ts";
import { sameButVolatile } from "../volatile.ts";
import { objectFor } from "./objects.ts";
import { proposedObject } from "./proposed.ts";
import { schemaFaults } from "./schema-faults.ts";

/** A resource's life, as plain data: what is configured first, and then instead. */
export interface ContractCase {
  readonly type: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Each is planned and applied in place of the configuration before it. */
  readonly changes?: readonly Readonly<Record<string, unknown>>[];
  /** Finds the first object again by its ID; see `importable`. */
  readonly importId?: (state: ReadonlyMap<string, Value>) => string;
  /** What is to be answered when the first create came to pass and its answer was lost; any answer, if left out. */
  readonly interrupted?: InterruptedAnswer["kind"];
}

/**
 * Leads one resource through its life with a provider that is configured, and says where the provider breaks the contract
 * that every driver of providers relies on: answers fit the schema; a plan keeps to the configuration, and is the same when
 * made again; what was applied agrees with the plan and is wholly known; what was applied is read unchanged, but for what
 * changes by itself, and planned without a change; null is planned and left for a destroyed object; write-only attributes
 * are nowhere kept; an interrupted create is not found before it was made, and what is found afterwards can be gone on with; an
 * identity is given where the type has one, as it was planned, and stays the same.
 *
 * Resources under the older type system may deviate from configuration and plan, as the protocol lets them.
 */
export async function contractViolations(provider: Provider, subject: ContractCase): Promise<readonly string[]> {
  const schema = await provider.schema();
  const resource = schema.resources.get(subject.type);
  invariant(resource, `the provider has a resource ${subject.type}`);
  const life = new Life(provider, subject, resource);
  life.found.push(...schemaFaults(schema));
  const nothing = nullValue(impliedType(resource.block));
  const sent = await life.sent(nothing, subject.config);
  if ((await life.findInterrupted(sent)).kind === "present")
    life.found.push("interrupted: an object is found before it was created");
  let state = await life.change(nothing, subject.config, "create");
  if (state) await life.expectFoundAgain(sent, state, subject.interrupted);
  if (state && subject.importId) await life.reimport(subject.importId(asMap(state)), state);
  for (const [i, config] of (subject.changes ?? []).entries())
    state &&= await life.change(state, config, `change ${i + 1}`);
  if (state) await life.destroy(state);
  return life.found;
}

/** The configuration of a provider that is configured with plain data, and that configuration's schema. */
export async function configureForTest(
  provider: Provider,
  config: Readonly<Record<string, unknown>> = {},
): Promise<ProviderSchema> {
  const schema = await provider.schema();
  const value = objectFor(schema.provider.block, config);
  const { diagnostics } = await provider.configure({ terraformVersion: "1.11.4", config: value });
  invariant(diagnostics.length === 0, `the provider takes its configuration: ${sentences(diagnostics)}`);
  return schema;
}

const noPrivate = new Uint8Array();

class Life {
  readonly found: string[] = [];
  readonly #provider: Provider;
  readonly #type: string;
  readonly #block: BlockSchema;
  readonly #nothing: Value;
  readonly #schema: Schema;
  #private: Uint8Array = noPrivate;
  #identity: Value | undefined;

  constructor(provider: Provider, subject: ContractCase, schema: Schema) {
    this.#provider = provider;
    this.#type = subject.type;
    this.#schema = schema;
    this.#block = schema.block;
    this.#nothing = nullValue(impliedType(schema.block));
  }

  /** Plans and applies one configuration; the state afterwards, or undefined where there is none to go on from. */
  async change(prior: Value, data: Readonly<Record<string, unknown>>, step: string): Promise<Value | undefined> {
    const config = objectFor(this.#block, data);
    const { diagnostics } = await this.#provider.validateResourceConfig({ type: this.#type, config });
    this.#expectNoErrors(`${step}: validate`, diagnostics);
    let before = prior;
    let planned = await this.#plan(before, config, step);
    if (!isNull(before) && planned.requiresReplace.length > 0) {
      await this.destroy(before);
      before = this.#nothing;
      planned = await this.#plan(before, config, `${step}, as a new object`);
    }
    await this.#planWithUnknowns(before, config, step);
    const state = await this.#apply(before, planned, config, step);
    if (state) await this.#expectSettled(state, config, step);
    return state;
  }

  async destroy(prior: Value): Promise<void> {
    const { planned, requiresReplace } = await this.#provider.planResourceChange({
      type: this.#type,
      prior,
      proposed: this.#nothing,
      config: this.#nothing,
      priorPrivate: this.#private,
    });
    if (!isNull(planned)) this.found.push("destroy: the plan is not null");
    if (requiresReplace.length > 0) this.found.push("destroy: the plan wants a new object");
    const call = { type: this.#type, prior, planned, config: this.#nothing, plannedPrivate: this.#private };
    const { newState, diagnostics } = await this.#provider.applyResourceChange({
      ...call,
      ...this.#named("plannedIdentity"),
    });
    this.#expectNoErrors("destroy", diagnostics);
    if (!isNull(newState)) this.found.push("destroy: something is left");
    this.#private = noPrivate;
    this.#identity = undefined;
  }

  async reimport(id: string, state: Value): Promise<void> {
    await this.#reimport({ type: this.#type, id }, state);
    if (this.#identity) await this.#reimport({ type: this.#type, id: "", identity: this.#identity }, state);
  }

  async #reimport(call: ImportCall, state: Value): Promise<void> {
    const { imported, diagnostics } = await this.#provider.importResourceState(call);
    this.#expectNoErrors("import", diagnostics);
    const [first] = imported;
    if (!first) return void this.found.push("import: nothing was found");
    this.#expectConforms("import", first.state);
    const read = await this.#provider.readResource({ type: this.#type, current: first.state, private: first.private });
    this.#expectNoErrors("read after import", read.diagnostics);
    if (isNull(read.newState)) this.found.push("read after import: nothing is there");
    else if (!rawEquals(asMap(read.newState).get("id") ?? state, asMap(state).get("id") ?? state))
      this.found.push("import: another object was found");
  }

  /** What a journal keeps of a create: the plan without unknown and sensitive parts. */
  async sent(nothing: Value, data: Readonly<Record<string, unknown>>): Promise<Value> {
    const { planned } = await this.#plan(nothing, objectFor(this.#block, data), "create");
    if (isNull(planned)) return planned;
    const shown = [...asMap(nullWhereUnknown(planned))].map(([name, value]) => {
      const hidden = this.#block.attributes.get(name)?.sensitive;
      return [name, hidden ? nullValue(value.type) : value] as const;
    });
    return objectValue(shown);
  }

  async findInterrupted(sent: Value): Promise<InterruptedAnswer> {
    if (isNull(sent)) return { kind: "unknown", why: "nothing was sent" };
    const call = { type: this.#type, sent };
    return (await this.#provider.findInterrupted?.(call)) ?? { kind: "unknown", why: "the provider cannot tell" };
  }

  async expectFoundAgain(sent: Value, state: Value, want: InterruptedAnswer["kind"] | undefined): Promise<void> {
    const answer = await this.findInterrupted(sent);
    const why = answer.kind === "unknown" ? ` (${answer.why})` : "";
    if (want && answer.kind !== want) this.found.push(`interrupted: ${answer.kind}${why} is answered, not ${want}`);
    if (answer.kind !== "present") return;
    if (!this.#expectConforms("interrupted", answer.state)) return;
    if (!isWhollyKnown(answer.state)) this.found.push("interrupted: values are left unknown");
    const call = { type: this.#type, current: answer.state, private: answer.private ?? noPrivate };
    const read = await this.#provider.readResource(call);
    this.#expectNoErrors("read after interrupted", read.diagnostics);
    if (!sameButVolatile(read.newState, answer.state, this.#block))
      this.found.push("interrupted: reading finds another object than was found");
    if (!rawEquals(asMap(answer.state).get("id") ?? state, asMap(state).get("id") ?? state))
      this.found.push("interrupted: another object was found");
  }

  async #plan(prior: Value, config: Value, step: string): Promise<PlanAnswer> {
    const proposed = proposedObject(this.#block, prior, config);
    const named = isNull(prior) ? {} : this.#named("priorIdentity");
    const call = { type: this.#type, prior, proposed, config, priorPrivate: this.#private, ...named };
    const answer = await this.#provider.planResourceChange(call);
    this.#expectNoErrors(`${step}: plan`, answer.diagnostics);
    this.#expectConforms(`${step}: plan`, answer.planned);
    const again = await this.#provider.planResourceChange(call);
    if (!rawEquals(answer.planned, again.planned)) this.found.push(`${step}: planning twice gives two plans`);
    if (!answer.legacyTypeSystem)
      this.found.push(
        ...deviationsFromConfig(this.#block, config, answer.planned, prior).map((d) => `${step}: plan: ${d}`),
      );
    return answer;
  }

  /** Every attribute that can be configured may turn out to be unknown while planning. */
  async #planWithUnknowns(prior: Value, config: Value, step: string): Promise<void> {
    for (const [name, attribute] of this.#block.attributes) {
      const value = asMap(config).get(name)!;
      if (isNull(value)) continue;
      const loose = objectValue([...asMap(config), [name, unknownValue(attributeType(attribute))]]);
      const { diagnostics } = await this.#provider.validateResourceConfig({ type: this.#type, config: loose });
      this.#expectNoErrors(`${step}: validate with ${name} unknown`, diagnostics);
      const proposed = proposedObject(this.#block, prior, loose);
      const answer = await this.#provider.planResourceChange({
        type: this.#type,
        prior,
        proposed,
        config: loose,
        priorPrivate: this.#private,
      });
      this.#expectNoErrors(`${step}: plan with ${name} unknown`, answer.diagnostics);
      this.#expectConforms(`${step}: plan with ${name} unknown`, answer.planned);
    }
  }

  async #apply(prior: Value, plan: PlanAnswer, config: Value, step: string): Promise<Value | undefined> {
    const { planned, plannedPrivate, plannedIdentity } = plan;
    const answer = await this.#provider.applyResourceChange({
      type: this.#type,
      prior,
      planned,
      config,
      plannedPrivate,
      ...(plannedIdentity ? { plannedIdentity } : {}),
    });
    this.#private = answer.private;
    this.#identity = this.#expectIdentity(`${step}: apply`, answer.identity, plannedIdentity);
    this.#expectNoErrors(`${step}: apply`, answer.diagnostics);
    if (!this.#expectConforms(`${step}: apply`, answer.newState)) return undefined;
    if (isNull(answer.newState)) return void this.found.push(`${step}: apply left nothing`);
    if (!isWhollyKnown(answer.newState)) this.found.push(`${step}: apply left values unknown`);
    if (!answer.legacyTypeSystem)
      this.found.push(...deviationsFromPlan(planned, answer.newState).map((d) => `${step}: apply: ${d}`));
    this.#expectNoWriteOnly(`${step}: apply`, answer.newState);
    return answer.newState;
  }

  /** What is there is read as it was left, and the same configuration wants nothing of it. */
  async #expectSettled(state: Value, config: Value, step: string): Promise<void> {
    const call = { type: this.#type, current: state, private: this.#private, ...this.#named("identity") };
    const read = await this.#provider.readResource(call);
    this.#expectNoErrors(`${step}: read`, read.diagnostics);
    this.#expectIdentity(`${step}: read`, read.identity, this.#identity);
    this.#expectConforms(`${step}: read`, read.newState);
    if (!sameButVolatile(read.newState, state, this.#block))
      this.found.push(`${step}: reading finds another object than was applied`);
    const { planned, requiresReplace } = await this.#plan(state, config, `${step}, again`);
    if (!rawEquals(planned, state)) this.found.push(`${step}: planning the same again wants a change`);
    if (requiresReplace.length > 0) this.found.push(`${step}: planning the same again wants a new object`);
    await this.#expectUpgradable(step);
  }

  async #expectUpgradable(step: string): Promise<void> {
    const { upgraded, diagnostics } = await this.#provider.upgradeResourceState({
      type: this.#type,
      version: this.#schema.version,
      json: "{}",
    });
    this.#expectNoErrors(`${step}: upgrade of an empty state`, diagnostics);
    this.#expectConforms(`${step}: upgrade of an empty state`, upgraded);
  }

  #named<K extends string>(name: K): { readonly [P in K]?: Value } {
    return this.#identity ? ({ [name]: this.#identity } as { readonly [P in K]?: Value }) : {};
  }

  #expectIdentity(what: string, identity: Value | undefined, wanted: Value | undefined): Value | undefined {
    const { identity: schema } = this.#schema;
    if (!schema) return undefined;
    if (!identity || isNull(identity)) return void this.found.push(`${what}: no identity is given`);
    if (!typeEquals(identity.type, identityType(schema)))
      return void this.found.push(`${what}: the identity does not fit its schema`);
    if (!isWhollyKnown(identity)) this.found.push(`${what}: the identity is not known`);
    if (wanted)
      this.found.push(...deviationsFromPlan(wanted, identity, "the identity").map((d) => `${what}: identity: ${d}`));
    return identity;
  }

  #expectNoErrors(what: string, diagnostics: ProviderDiagnostics): void {
    const errors = diagnostics.filter((d) => d.severity === "error");
    if (errors.length > 0) this.found.push(`${what}: ${sentences(errors)}`);
  }

  #expectConforms(what: string, value: Value): boolean {
    const misfits = conforms(value, this.#block);
    if (misfits.length > 0)
      this.found.push(`${what}: does not fit the schema: ${misfits.map((m) => m.problem).join(", ")}`);
    return misfits.length === 0;
  }

  #expectNoWriteOnly(what: string, state: Value): void {
    for (const [name, { writeOnly }] of this.#block.attributes) {
      if (writeOnly && !isNull(asMap(state).get(name)!)) this.found.push(`${what}: the write-only ${name} is kept`);
    }
  }
}

function deviationsFromConfig(block: BlockSchema, config: Value, planned: Value, prior: Value): readonly string[] {
  if (isNull(planned)) return ["null is planned for a configured object"];
  return [...block.attributes].flatMap(([name, attribute]) => {
    const wanted = asMap(config).get(name)!;
    const got = asMap(planned).get(name)!;
    if (attribute.writeOnly) return isNull(got) ? [] : [`the write-only ${name} is planned`];
    const before = isNull(prior) ? undefined : asMap(prior).get(name);
    if (attribute.nested || rawEquals(wanted, got) || (before && rawEquals(before, got))) return [];
    return attribute.computed && isNull(wanted) ? [] : [`${name} is planned other than configured`];
  });
}

/** Where a value that was known in the plan has become another; unknown values may become any of their type. */
function deviationsFromPlan(planned: Value, state: Value, at = "the object"): readonly string[] {
  if (!isKnown(planned))
    return violatesRefinements(planned, state) ? [`${at} is not what the plan promised of it`] : [];
  if (isNull(planned) || isNull(state))
    return isNull(planned) === isNull(state) ? [] : [`${at} is not what was planned`];
  const inside = partsOf(planned, state);
  if (!inside) return isWhollyKnown(planned) && !rawEquals(planned, state) ? [`${at} is not what was planned`] : [];
  return inside.flatMap(([step, p, s]) => (s ? deviationsFromPlan(p, s, step) : [`${step} is gone`]));
}

function violatesRefinements({ data }: Value, state: Value): boolean {
  return data instanceof Unknown && data.refinements?.notNull === true && isNull(state);
}

function partsOf(planned: Value, state: Value): readonly (readonly [string, Value, Value | undefined])[] | undefined {
  const kind: Type["kind"] = planned.type.kind;
  if (kind === "object" || kind === "map")
    return [...asMap(planned)].map(([name, v]) => [name, v, asMap(state).get(name)] as const);
  if (kind === "list" || kind === "tuple") {
    return (planned.data as readonly Value[]).map(
      (v, i) => [`[${i}]`, v, (state.data as readonly Value[])[i]] as const,
    );
  }
  return undefined;
}

function sentences(diagnostics: ProviderDiagnostics): string {
  return diagnostics.map((d) => `${d.summary}: ${d.detail}`).join("; ");
}
