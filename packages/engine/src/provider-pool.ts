import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { invariant, messageOf } from "@millwright/core/errors";
import { asSentence } from "@millwright/core/sentence";
import type { Provider, ProviderDiagnostics } from "@millwright/provider/protocol";
import type { BlockSchema, ProviderSchema, Schema } from "@millwright/provider/schema";
import { rawEquals } from "@millwright/value/operations";
import type { Value } from "@millwright/value/value";
import { isWhollyKnown } from "@millwright/value/value";
import type { InstanceAddress, ProviderConfigAddress, ProviderSource, ResourceAddress } from "./addresses.ts";
import { providerSourceShort, providerSourceText } from "./addresses.ts";
import { legacyNamespace } from "@millwright/sources/provider-source";
import type { ProviderProcess, ProviderRegistry } from "./ports.ts";

/** The version providers are told that they serve: the one whose behaviour this engine follows. */
export const servedTerraformVersion = "1.11.4";

/** What stands in the place of providers, where a test says so. */
export interface ProviderStandIns {
  /** Serves a configuration, which is then not evaluated; undefined for the provider itself. */
  configuration(address: ProviderConfigAddress, schema: ProviderSchema, real: Provider): Provider | undefined;
  /** Serves one instance: `provider`, or what stands in its place. */
  instance(
    address: InstanceAddress,
    configuration: ProviderConfigAddress,
    schema: ProviderSchema,
    provider: Provider,
  ): Provider;
}

/**
 * The running providers of one command: one for each configuration, started when first needed, and their schemas, read
 * once a source. Closed as a whole at the end.
 */
export class ProviderPool {
  readonly #registry: ProviderRegistry;
  readonly #schemas = new Map<string, ProviderSchema>();
  readonly #configured = new Map<string, Provider>();
  /** What each was configured with, where all of that was known. */
  readonly #configs = new Map<string, Value>();
  /** Started to read a schema and not yet configured: the first configuration of that source takes it over. */
  readonly #idle = new Map<string, Provider>();
  readonly #bySource = new Map<string, Provider>();
  readonly #all = new Set<Provider>();
  /** Those of {@link #all} that ^C reaches while something is changed: programs of their own, and a folder's own. */
  readonly #told = new Set<Provider>();
  readonly #processes: ProviderProcess[] = [];
  #stopSignal: AbortSignal | undefined;
  #phase: "plan" | "apply" = "plan";
  #onProcess: ((process: ProviderProcess) => Promise<void>) | undefined;

  readonly #standIns: ProviderStandIns | undefined;

  constructor(registry: ProviderRegistry, standIns?: ProviderStandIns) {
    this.#registry = registry;
    this.#standIns = standIns;
  }

  /** Reads the schemas of all sources; what is unknown or does not start comes back as diagnostics. */
  async load(sources: Iterable<ProviderSource>): Promise<Diagnostic[]> {
    const wanted = new Map([...sources].map((source) => [providerSourceText(source), source]));
    const results = await Promise.all([...wanted].map(([text, source]) => this.#loadOne(text, source)));
    return results.flat();
  }

  async #loadOne(text: string, source: ProviderSource): Promise<Diagnostic[]> {
    if (this.#schemas.has(text)) return [];
    const offer = this.#registry.find(source);
    if (!offer) return [this.#unknownProvider(source)];
    try {
      const provider = await this.#start(source);
      this.#schemas.set(text, await provider.schema());
      this.#idle.set(text, provider);
      return [];
    } catch (error) {
      return [
        errorDiagnostic(
          "Failed to start provider",
          `The provider ${providerSourceShort(source)} ${offer.version} could not be started: ${asSentence(messageOf(error))}`,
        ),
      ];
    }
  }

  #unknownProvider(source: ProviderSource): Diagnostic {
    const known = this.#registry.known().map(providerSourceShort).sort();
    if (source.namespace === legacyNamespace) {
      const text = providerSourceText(source);
      const detail = `The state names the provider ${text} as Terraform 0.12 did, without a namespace. Say which one it is now, such as: state replace-provider ${text} hashicorp/${source.type}`;
      return errorDiagnostic("Provider without a namespace", detail, { code: "provider-not-available" });
    }
    return errorDiagnostic(
      "Provider not available",
      `There is no provider ${providerSourceText(source)} here: it is neither built in nor installed. Built in are ${known.join(", ")}.`,
      { code: "provider-not-available" },
    );
  }

  /** The schema of a source that was loaded; undefined where loading it failed. */
  schema(source: ProviderSource): ProviderSchema | undefined {
    return this.#schemas.get(providerSourceText(source));
  }

  /** The schema of a resource type; undefined where the provider has no such type. */
  resourceSchema(source: ProviderSource, resource: ResourceAddress): Schema | undefined {
    const schema = this.schema(source);
    if (!schema) return undefined;
    switch (resource.mode) {
      case "managed":
        return schema.resources.get(resource.type);
      case "data":
        return schema.dataSources.get(resource.type);
      case "ephemeral":
        return schema.ephemeralResources.get(resource.type);
    }
  }

  providerBlock(source: ProviderSource): BlockSchema | undefined {
    return this.schema(source)?.provider.block;
  }

  /** Any running provider of a source that was loaded, for calls that need no configuration (validation, upgrades). */
  async any(source: ProviderSource): Promise<Provider> {
    const text = providerSourceText(source);
    const running = this.#idle.get(text) ?? this.#bySource.get(text);
    return running ?? this.#start(source);
  }

  /** Configures a provider for one configuration address; `config` carries no marks and may hold unknowns. */
  async configure(address: ProviderConfigAddress, config: Value): Promise<ProviderDiagnostics> {
    const text = providerSourceText(address.source);
    const provider = this.#idle.get(text) ?? (await this.#start(address.source));
    this.#idle.delete(text);
    this.#bySource.set(text, provider);
    this.#configured.set(address.text, provider);
    this.#configs.delete(address.text);
    const { diagnostics } = await provider.configure({ terraformVersion: servedTerraformVersion, config });
    if (isWhollyKnown(config) && !diagnostics.some((d) => d.severity === "error"))
      this.#configs.set(address.text, config);
    return diagnostics;
  }

  /** Whether a provider serves this address already with that very configuration, as after the plan of the same command. */
  isConfiguredAs(address: ProviderConfigAddress, config: Value): boolean {
    const known = this.#configs.get(address.text);
    return known !== undefined && rawEquals(known, config);
  }

  /** Tells of the processes of providers: of those that run, and then of each before it is called. */
  async watchProcesses(listener: (process: ProviderProcess) => Promise<void>): Promise<void> {
    this.#onProcess = listener;
    for (const process of this.#processes) await listener(process);
  }

  async #start(source: ProviderSource): Promise<Provider> {
    const offer = this.#registry.find(source);
    invariant(offer, `provider ${providerSourceText(source)} was loaded before it is used`);
    const provider = await offer.start({
      ...(this.#stopSignal ? { stop: this.#stopSignal } : {}),
      started: async (process) => {
        this.#processes.push(process);
        await this.#onProcess?.(process);
      },
    });
    this.#all.add(provider);
    if (offer.origin !== "built-in") this.#told.add(provider);
    return provider;
  }

  /** Puts in place what stands for a configuration; false where nothing does, and the provider itself is to be configured. */
  async standIn(address: ProviderConfigAddress): Promise<boolean> {
    const schema = this.schema(address.source);
    if (!this.#standIns || !schema) return false;
    const provider = this.#standIns.configuration(address, schema, await this.any(address.source));
    if (provider) this.#configured.set(address.text, provider);
    return provider !== undefined;
  }

  isConfigured(address: ProviderConfigAddress): boolean {
    return this.#configured.has(address.text);
  }

  configured(address: ProviderConfigAddress): Provider {
    const provider = this.#configured.get(address.text);
    invariant(provider, `provider ${address.text} is configured before its resources`);
    return provider;
  }

  /** The provider of one instance: that of its configuration, or what stands in its place. */
  serving(address: ProviderConfigAddress, instance: InstanceAddress): Provider {
    const provider = this.configured(address);
    const schema = this.schema(address.source);
    return this.#standIns && schema ? this.#standIns.instance(instance, address, schema, provider) : provider;
  }

  /**
   * Passes that signal on, as ^C gives it, for as long as the pool is open. While a run only reads, all providers are told; while
   * it changes something, the built-in ones are not: they finish what they have begun.
   */
  stopWith(signal: AbortSignal, phase: "plan" | "apply"): void {
    this.#phase = phase;
    if (this.#stopSignal === signal) return;
    this.#unlisten();
    this.#stopSignal = signal;
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  readonly #onAbort = () => {
    const told = this.#phase === "plan" ? this.#all : this.#told;
    void Promise.allSettled([...told].map((provider) => provider.stop()));
  };

  #unlisten(): void {
    this.#stopSignal?.removeEventListener("abort", this.#onAbort);
  }

  /** Passes ^C on: running calls are to end soon. */
  async stop(): Promise<void> {
    await Promise.allSettled([...this.#all].map((provider) => provider.stop()));
  }

  async close(): Promise<void> {
    this.#unlisten();
    await Promise.allSettled([...this.#all].map((provider) => provider.close()));
    this.#all.clear();
  }
}
