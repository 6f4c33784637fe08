import { invariant } from "@millwright/core/errors";
import type { Value } from "@millwright/value/value";
import { nullValue } from "@millwright/value/value";
import type { ApplyCall, InterruptedAnswer, PlanAnswer, Provider, ProviderDiagnostics } from "../protocol.ts";
import type { BlockSchema } from "../schema.ts";
import { objectFor, plainOf } from "./objects.ts";
import { proposedObject } from "./proposed.ts";

/** A configuration as plain data: what is left out is null, `undefined` is unknown. */
export type Config = Readonly<Record<string, unknown>>;
/** An object as plain data: unknown is `undefined`. */
export type Plain = Readonly<Record<string, unknown>>;

export interface Planned extends PlanAnswer {
  readonly plain: Plain;
  /** What carries this plan out. */
  readonly call: ApplyCall;
}

export interface Applied {
  readonly state: Value;
  readonly plain: Plain;
  readonly diagnostics: ProviderDiagnostics;
}

export interface Interrupted {
  readonly kind: InterruptedAnswer["kind"];
  readonly why: string;
  readonly plain: Plain;
}

/**
 * Leads objects of one resource type through their lives with a provider, with plain data in and out; for tests of
 * providers. Private data is left out.
 */
export class Drive {
  readonly block: BlockSchema;
  readonly #provider: Provider;
  readonly #type: string;

  private constructor(provider: Provider, type: string, block: BlockSchema) {
    this.#provider = provider;
    this.#type = type;
    this.block = block;
  }

  static async of(provider: Provider, type: string): Promise<Drive> {
    const schema = (await provider.schema()).resources.get(type);
    invariant(schema, `the provider has a resource ${type}`);
    return new Drive(provider, type, schema.block);
  }

  object(data: Config): Value {
    return objectFor(this.block, data);
  }

  async validate(data: Config): Promise<ProviderDiagnostics> {
    return (await this.#provider.validateResourceConfig({ type: this.#type, config: this.object(data) })).diagnostics;
  }

  async plan(data: Config, prior?: Value): Promise<Planned> {
    const config = this.object(data);
    const before = prior ?? nullValue(config.type);
    const proposed = proposedObject(this.block, before, config);
    const call = { type: this.#type, prior: before, config };
    const answer = await this.#provider.planResourceChange({ ...call, proposed, priorPrivate: noPrivate });
    const { planned, plannedPrivate } = answer;
    return { ...answer, plain: this.#plain(planned), call: { ...call, planned, plannedPrivate } };
  }

  async apply(data: Config, prior?: Value): Promise<Applied> {
    return this.#applied(await this.#provider.applyResourceChange((await this.plan(data, prior)).call));
  }

  async destroy(prior: Value): Promise<Applied> {
    const nothing = nullValue(prior.type);
    const call = { type: this.#type, prior, planned: nothing, config: nothing, plannedPrivate: noPrivate };
    return this.#applied(await this.#provider.applyResourceChange(call));
  }

  async read(current: Value): Promise<Applied> {
    return this.#applied(await this.#provider.readResource({ type: this.#type, current, private: noPrivate }));
  }

  async import(id: string): Promise<Applied> {
    const { imported, diagnostics } = await this.#provider.importResourceState({ type: this.#type, id });
    return this.#applied({ newState: imported[0]?.state ?? nullValue({ kind: "dynamic" }), diagnostics });
  }

  /** What becomes of a create that was sent, and whose answer was lost; the object is empty where none was found. */
  async findInterrupted(data: Config): Promise<Interrupted> {
    const answer = await this.#provider.findInterrupted?.({ type: this.#type, sent: this.object(data) });
    invariant(answer, "the provider answers for interrupted creates");
    const { kind } = answer;
    const why = kind === "unknown" ? answer.why : "";
    return { kind, why, plain: kind === "present" ? this.#plain(answer.state) : {} };
  }

  async upgrade(version: number, attributes: Config): Promise<Applied> {
    const call = { type: this.#type, version, json: JSON.stringify(attributes) };
    const { upgraded, diagnostics } = await this.#provider.upgradeResourceState(call);
    return this.#applied({ newState: upgraded, diagnostics });
  }

  #applied({
    newState,
    diagnostics,
  }: {
    readonly newState: Value;
    readonly diagnostics: ProviderDiagnostics;
  }): Applied {
    return { state: newState, plain: this.#plain(newState), diagnostics };
  }

  /** Of an object that is not there: empty. */
  #plain(value: Value): Plain {
    return value.data === null ? {} : (plainOf(this.block, value) as Plain);
  }
}

const noPrivate = new Uint8Array();
