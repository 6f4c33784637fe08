import type { OperationalError } from "@millwright/core/errors";
import type { ConfigOf, Unsettled } from "./field-types.ts";
import type { Fields } from "./fields.ts";
import type { DataSource } from "./data-source.ts";
import type { EphemeralResource } from "./ephemeral-resource.ts";
import type { Problem } from "./problem.ts";
import type { Provider } from "./protocol.ts";
import type { ServedFunction } from "./provider-function.ts";
import type { Resource } from "./resource.ts";
import { serveProvider } from "./serve-provider.ts";

/**
 * A provider, as its author writes it.
 *
 * ```ts
 * export const zoo = defineProvider({
 *   name: "zoo",
 *   version: "1.0.0",
 *   schema: { address: optional(string, { default: "http://127.0.0.1:7000" }) },
 *   configure: ({ config }) => new ZooClient(config.address ?? "http://127.0.0.1:7000"),
 *   resources: { zoo_animal: animal },
 * });
 * ```
 *
 * `C` is the type of the client that `configure` makes and every resource gets.
 */
export interface ProviderDefinition<F extends Fields, C> {
  readonly name: string;
  readonly version: string;
  /** What `source` of `required_providers` says, `example.com/me/zoo`. Without, what the name alone means: `hashicorp/zoo`. */
  readonly source?: string;
  /** What a `provider` block may say. */
  readonly schema?: F;
  /** Rules over several attributes; `undefined` stands where a value is not known yet. */
  validate?(call: { readonly config: Unsettled<ConfigOf<F>> }): Iterable<Problem>;
  /**
   * Makes the client. It is called once the whole configuration is known; until then whatever needs a client is refused
   * with a diagnostic, and what needs none (planning new objects) works.
   */
  configure(call: {
    readonly config: ConfigOf<F>;
    readonly terraformVersion: string;
    readonly signal: AbortSignal;
  }): Promise<C> | C;
  readonly resources?: Readonly<Record<string, Resource<C>>>;
  readonly dataSources?: Readonly<Record<string, DataSource<C>>>;
  readonly ephemeralResources?: Readonly<Record<string, EphemeralResource<C>>>;
  readonly functions?: Readonly<Record<string, ServedFunction>>;
  /** Better words for an operational error than its own message; undefined leaves it at that. No client, no configuration yet. */
  explain?(error: OperationalError, client: C | undefined): Problem | undefined;
  /** Ends what the client holds open. */
  close?(client: C): Promise<void> | void;
}

/** A provider that can be started: each start is an instance with a configuration of its own. */
export interface DefinedProvider {
  readonly name: string;
  readonly version: string;
  readonly source?: string;
  start(): Provider;
}

export function defineProvider<const F extends Fields, C>(definition: ProviderDefinition<F, C>): DefinedProvider {
  const { name, version, source } = definition;
  return { name, version, ...(source === undefined ? {} : { source }), start: () => serveProvider(definition) };
}
