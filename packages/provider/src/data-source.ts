import { isWhollyKnown, nullValue } from "@millwright/value/value";
import type { Value } from "@millwright/value/value";
import type { Call, ClientToken } from "./call.ts";
import { checkConfig } from "./check-config.ts";
import { fromPlain, toPlain } from "./codec.ts";
import type { ConfigOf, StateOf, Unsettled } from "./field-types.ts";
import type { Fields } from "./fields.ts";
import { impliedType } from "./implied-type.ts";
import type { Problem } from "./problem.ts";
import { problem, problemsOf, toDiagnostics, warning } from "./problem.ts";
import type { DataCall, ProviderDiagnostics } from "./protocol.ts";
import type { Schema } from "./schema.ts";
import { schemaOfFields } from "./schema-of-fields.ts";
import type { Run } from "./serve-resource.ts";

/** A data source, as its author writes it: a configuration in, what was found out. */
export interface DataSourceDefinition<F extends Fields, C> {
  readonly description?: string;
  readonly version?: number;
  readonly client?: ClientToken<C>;
  readonly schema: F;
  /** Rules over several attributes; `undefined` stands where a value is not known yet. */
  validate?(call: { readonly config: Unsettled<ConfigOf<F>> }): Iterable<Problem>;
  /** Called only when the whole configuration is known. */
  read(call: Call<C> & { readonly config: ConfigOf<F> }): Promise<StateOf<F>> | StateOf<F>;
}

/** A data source ready to be served by a provider whose client is a `C`. */
export type DataSource<C> = (type: string) => ServedDataSource<C>;

export interface ServedDataSource<C> {
  readonly schema: Schema;
  readonly validate: (config: Value) => ProviderDiagnostics;
  readonly read: (
    call: DataCall,
    run: Run<C>,
  ) => Promise<{ readonly state: Value; readonly diagnostics: ProviderDiagnostics }>;
}

export function defineDataSource<const F extends Fields, C = unknown>(
  definition: DataSourceDefinition<F, C>,
): DataSource<C> {
  const block = schemaOfFields(definition.schema, "strict", definition);
  const type = impliedType(block);
  return (name) => ({
    schema: { version: definition.version ?? 0, block },
    validate: (config) => {
      const rules = definition.validate?.({ config: toPlain(config, type) as Unsettled<ConfigOf<F>> }) ?? [];
      return toDiagnostics([...checkConfig(definition.schema, config), ...rules], type);
    },
    read: async ({ config }, run) => {
      const { client, signal } = run;
      const problems: Problem[] = [];
      const warn: Call<C>["warn"] = (summary, detail, at) => problems.push(warning(summary, detail, at));
      let state = nullValue(type);
      try {
        const found = await definition.read({ client, signal, warn, config: toPlain(config, type) as ConfigOf<F> });
        const value = fromPlain(found, type, [`${name} read`], config);
        if (isWhollyKnown(value)) state = value;
        else
          problems.push(
            problem(`Provider bug: ${name} left values unsettled`, "Please report this to the provider's developers."),
          );
      } catch (error) {
        const said = problemsOf(error, { ...run, summary: `Cannot read ${name}` });
        if (!said) throw error;
        problems.push(...said);
      }
      return { state, diagnostics: toDiagnostics(problems, type) };
    },
  });
}
