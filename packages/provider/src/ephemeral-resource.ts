import type { Value } from "@millwright/value/value";
import { nullValue } from "@millwright/value/value";
import type { Call, ClientToken, ResourceCall } from "./call.ts";
import { checkConfig } from "./check-config.ts";
import { fromPlain, toPlain } from "./codec.ts";
import type { ConfigOf, StateOf, Unsettled } from "./field-types.ts";
import type { Fields } from "./fields.ts";
import { impliedType } from "./implied-type.ts";
import { PrivateData } from "./private-data.ts";
import type { Problem } from "./problem.ts";
import { problemsOf, toDiagnostics, warning } from "./problem.ts";
import type { DataCall, EphemeralCall, OpenAnswer, ProviderDiagnostics } from "./protocol.ts";
import type { Schema } from "./schema.ts";
import { schemaOfFields } from "./schema-of-fields.ts";
import type { Run } from "./serve-resource.ts";

/**
 * A resource that is there only while a run lasts and is recorded nowhere: opened before its first use, renewed when it
 * asks to be, closed after its last use. What `renew` and `close` need is kept in `private`.
 */
export interface EphemeralResourceDefinition<F extends Fields, C> {
  readonly description?: string;
  readonly client?: ClientToken<C>;
  readonly schema: F;
  validate?(call: { readonly config: Unsettled<ConfigOf<F>> }): Iterable<Problem>;
  open(call: ResourceCall<C> & { readonly config: ConfigOf<F> }): Promise<Opened<F>> | Opened<F>;
  /** Called at `renewAt` of the last opening or renewal. */
  renew?(call: ResourceCall<C>): Promise<Renewal> | Renewal;
  close?(call: ResourceCall<C>): Promise<void> | void;
}

export interface Renewal {
  readonly renewAt?: Date;
}

export interface Opened<F extends Fields> extends Renewal {
  readonly result: StateOf<F>;
}

/** An ephemeral resource ready to be served by a provider whose client is a `C`. */
export type EphemeralResource<C> = (type: string) => ServedEphemeralResource<C>;

export interface ServedEphemeralResource<C> {
  readonly schema: Schema;
  readonly validate: (config: Value) => ProviderDiagnostics;
  readonly open: (call: DataCall, run: Run<C>) => Promise<OpenAnswer>;
  readonly renew: (
    call: EphemeralCall,
    run: Run<C>,
  ) => Promise<Renewal & { readonly private: Uint8Array; readonly diagnostics: ProviderDiagnostics }>;
  readonly close: (call: EphemeralCall, run: Run<C>) => Promise<{ readonly diagnostics: ProviderDiagnostics }>;
}

export function defineEphemeralResource<const F extends Fields, C = unknown>(
  definition: EphemeralResourceDefinition<F, C>,
): EphemeralResource<C> {
  const block = schemaOfFields(definition.schema, "strict", definition);
  const type = impliedType(block);

  /** Runs one of the author's functions; a failure leaves the result undefined. */
  async function attempt<T>(
    summary: string,
    bytes: Uint8Array,
    run: Run<C>,
    work: (call: ResourceCall<C>) => Promise<T> | T,
  ) {
    const problems: Problem[] = [];
    const data = PrivateData.fromBytes(bytes);
    const warn: Call<C>["warn"] = (said, detail, at) => problems.push(warning(said, detail, at));
    const outcome = await Promise.resolve()
      .then(() => work({ client: run.client, signal: run.signal, warn, private: data }))
      .catch((error: unknown) => {
        const said = problemsOf(error, { ...run, summary });
        if (!said) throw error;
        problems.push(...said);
        return undefined;
      });
    return { outcome, private: data.toBytes(), diagnostics: toDiagnostics(problems, type) };
  }

  return (name) => ({
    schema: { version: 0, block },
    validate: (config) => {
      const rules = definition.validate?.({ config: toPlain(config, type) as Unsettled<ConfigOf<F>> }) ?? [];
      return toDiagnostics([...checkConfig(definition.schema, config), ...rules], type);
    },
    open: async ({ config }, run) => {
      const plain = toPlain(config, type) as ConfigOf<F>;
      const { outcome, ...answer } = await attempt(`Cannot open ${name}`, new Uint8Array(), run, (call) =>
        definition.open({ ...call, config: plain }),
      );
      const result = outcome ? fromPlain(outcome.result, type, [`${name} open`], config) : nullValue(type);
      return { ...answer, result, ...(outcome?.renewAt ? { renewAt: outcome.renewAt } : {}) };
    },
    renew: async (given, run) => {
      const { outcome, ...answer } = await attempt(
        `Cannot renew ${name}`,
        given.private,
        run,
        (call) => definition.renew?.(call) ?? {},
      );
      return { ...answer, ...(outcome?.renewAt ? { renewAt: outcome.renewAt } : {}) };
    },
    close: async (given, run) => {
      const { diagnostics } = await attempt(`Cannot close ${name}`, given.private, run, (call) =>
        definition.close?.(call),
      );
      return { diagnostics };
    },
  });
}
