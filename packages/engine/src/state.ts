import type { Path } from "@millwright/value/path";
import type { Type } from "@millwright/value/types";
import { dynamicValue, type Value } from "@millwright/value/value";
import type { Expansion } from "./expansion.ts";
import type { InstanceAddress, InstanceKey, ModuleInstance, ResourceAddress } from "./addresses.ts";
import {
  absoluteResourceText,
  compareInstances,
  instanceAddress,
  keyText,
  parseProviderConfigAddress,
  wholeProviderConfig,
} from "./addresses.ts";

/**
 * What exists, as far as is known: an immutable snapshot of everything that was made and not destroyed. Read and written as
 * state format v4 (see `state-file.ts`); `lineage` and `serial` are the file's and live beside the snapshot.
 */
export interface State {
  readonly outputs: ReadonlyMap<string, OutputState>;
  /** By `absoluteResourceText`: one entry a resource in a module instance, with all its instances. */
  readonly resources: ReadonlyMap<string, ResourceState>;
  /** Results of checks as the file holds them, kept as they were read. */
  readonly checkResults: unknown;
}

export interface OutputState {
  readonly value: Value;
  readonly sensitive: boolean;
}

export interface ResourceState {
  readonly module: ModuleInstance;
  readonly address: ResourceAddress;
  /** `provider["registry.terraform.io/hashicorp/consul"]`, with module and alias, as the file holds it. */
  readonly provider: string;
  /** By `keyOf` of the instance key. */
  readonly instances: ReadonlyMap<string, InstanceState>;
}

export interface InstanceState {
  readonly key: InstanceKey;
  /** The instance of the resource's provider configuration that it belongs to, where that has `for_each`: its key. */
  readonly providerKey?: string;
  readonly current?: ObjectState;
  /** Objects that were replaced and could not be destroyed yet, by their deposed key (8 hex digits). */
  readonly deposed: ReadonlyMap<string, ObjectState>;
}

/** One remote object. */
export interface ObjectState {
  /** `tainted`: its creation failed halfway; it is replaced by the next apply. */
  readonly status: "ready" | "tainted";
  readonly schemaVersion: number;
  /** As read (JSON text of a perhaps older schema), or as a value of the current schema, without marks. */
  readonly attributes: StoredAttributes;
  /** Where the configuration made it sensitive (beyond what the schema says). */
  readonly sensitivePaths: readonly Path[];
  readonly private: Uint8Array;
  /** `configResourceText` of all it was made after: the order in which orphans are destroyed. */
  readonly dependencies: readonly string[];
  readonly createBeforeDestroy: boolean;
  /** Whether its block forbade to destroy it when it was last applied. */
  readonly preventDestroy?: boolean;
  /** What names it for ever, where its provider says so of its type. */
  readonly identity?: StoredIdentity;
  /** Set for the length of a plan, where it was an object of another type: its provider is still to bring it to the new one. */
  readonly movedFrom?: { readonly type: string; readonly provider: string };
  /** Further properties of the file's instance object, kept as they were read. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** An identity as it was read or given: JSON text of a perhaps older identity schema. */
export interface StoredIdentity {
  readonly schemaVersion: number;
  readonly json: string;
}

export type StoredAttributes =
  | { readonly form: "json"; readonly text: string }
  | { readonly form: "flat"; readonly flat: Readonly<Record<string, string>> }
  /** `type` is the schema's: where that is dynamic, the value alone does not say so. */
  | { readonly form: "value"; readonly value: Value; readonly type: Type };

export const emptyState: State = { outputs: new Map(), resources: new Map(), checkResults: null };

export const noPrivate: Uint8Array = new Uint8Array(0);

export function isEmptyState(state: State): boolean {
  return state.resources.size === 0 && state.outputs.size === 0;
}

export interface StateInstance {
  readonly address: InstanceAddress;
  readonly resource: ResourceState;
  readonly instance: InstanceState;
}

/** Every instance of the snapshot, in the order of addresses. */
export function instancesOf(state: State): StateInstance[] {
  const all: StateInstance[] = [];
  for (const resource of state.resources.values()) {
    for (const instance of resource.instances.values()) {
      all.push({ address: instanceAddress(resource.module, resource.address, instance.key), resource, instance });
    }
  }
  return all.sort((a, b) => compareInstances(a.address, b.address));
}

/** The snapshot as something to change, for the length of a walk. */
export class StateBuilder {
  readonly #outputs: Map<string, OutputState>;
  readonly #resources: Map<string, ResourceState & { readonly instances: Map<string, InstanceState> }>;
  #checkResults: unknown;

  constructor(state: State) {
    this.#outputs = new Map(state.outputs);
    this.#resources = new Map();
    for (const [text, resource] of state.resources) {
      this.#resources.set(text, { ...resource, instances: new Map(resource.instances) });
    }
    this.#checkResults = state.checkResults;
  }

  instance(address: InstanceAddress): InstanceState | undefined {
    return this.#resources
      .get(absoluteResourceText(address.module, address.resource))
      ?.instances.get(keyOf(address.key));
  }

  resource(module: ModuleInstance, resource: ResourceAddress): ResourceState | undefined {
    return this.#resources.get(absoluteResourceText(module, resource));
  }

  setCurrent(address: InstanceAddress, provider: string, object: ObjectState | undefined): void {
    this.#update(address, provider, ({ current: _, ...rest }) => (object ? { ...rest, current: object } : rest));
  }

  /** The resources as they are now. */
  resources(): Iterable<ResourceState> {
    return this.#resources.values();
  }

  /** Makes room for an instance of which nothing is known yet; the next change of it takes it out again where nothing came of it. */
  hold(address: InstanceAddress, provider: string): void {
    if (!this.instance(address)) this.#update(address, provider, (instance) => instance, "hold");
  }

  setDeposed(address: InstanceAddress, provider: string, deposedKey: string, object: ObjectState | undefined): void {
    this.#update(address, provider, (instance) => {
      const deposed = new Map(instance.deposed);
      if (object) deposed.set(deposedKey, object);
      else deposed.delete(deposedKey);
      return { ...instance, deposed };
    });
  }

  /** Makes the current object a deposed one, so that a new one can be made beside it. */
  depose(address: InstanceAddress, provider: string, deposedKey: string): void {
    this.#update(address, provider, ({ current, deposed, ...rest }) => ({
      ...rest,
      deposed: current ? new Map(deposed).set(deposedKey, current) : deposed,
    }));
  }

  /** Takes a deposed object back as the current one, where nothing new came to be. */
  restoreDeposed(address: InstanceAddress, provider: string, deposedKey: string): boolean {
    const instance = this.instance(address);
    const object = instance?.deposed.get(deposedKey);
    if (!instance || !object || instance.current) return false;
    this.#update(address, provider, (known) => {
      const rest = new Map(known.deposed);
      rest.delete(deposedKey);
      return { ...known, current: object, deposed: rest };
    });
    return true;
  }

  /** Gives an instance another address; nothing is there yet. */
  move(from: InstanceAddress, to: InstanceAddress, provider: string): void {
    const instance = this.instance(from);
    this.#update(from, provider, ({ key }) => ({ key, deposed: new Map() }));
    if (instance) this.#update(to, provider, ({ key }) => ({ ...instance, key }));
  }

  /** As the file holds them. */
  setCheckResults(plain: unknown): void {
    this.#checkResults = plain;
  }

  setOutput(name: string, output: OutputState | undefined): void {
    if (output) this.#outputs.set(name, output);
    else this.#outputs.delete(name);
  }

  snapshot(): State {
    const resources = new Map<string, ResourceState>();
    for (const [text, resource] of this.#resources) {
      resources.set(text, { ...resource, instances: new Map(resource.instances) });
    }
    return { outputs: new Map(this.#outputs), resources, checkResults: this.#checkResults };
  }

  #update(
    address: InstanceAddress,
    provider: string,
    change: (instance: InstanceState) => InstanceState,
    empty: "drop" | "hold" = "drop",
  ): void {
    const text = absoluteResourceText(address.module, address.resource);
    const known = this.#resources.get(text);
    const instances = known?.instances ?? new Map<string, InstanceState>();
    const key = keyOf(address.key);
    const { whole, providerKey } = splitProvider(provider);
    const { providerKey: _, ...before } = instances.get(key) ?? { key: address.key, deposed: new Map() };
    const changed = change(before);
    const next = providerKey === undefined ? changed : { ...changed, providerKey };
    if (next.current || next.deposed.size > 0 || empty === "hold") instances.set(key, next);
    else instances.delete(key);
    if (instances.size === 0) this.#resources.delete(text);
    else if (!known || known.provider !== whole) {
      this.#resources.set(text, { module: address.module, address: address.resource, provider: whole, instances });
    }
  }
}

// Almost no provider has instances, so that its address is taken apart only where it ends like one that has.
function splitProvider(provider: string): { readonly whole: string; readonly providerKey?: string } {
  if (!/"\]\.[\w-]+\[".*"\]$/.test(provider)) return { whole: provider };
  const address = parseProviderConfigAddress(provider);
  if (address?.key === undefined) return { whole: provider };
  return { whole: wholeProviderConfig(address).text, providerKey: address.key };
}

/** The whole address of the provider configuration that an instance belongs to. */
export function providerOfInstance({ provider }: ResourceState, { providerKey }: InstanceState): string {
  return providerKey === undefined ? provider : `${provider}${keyText(providerKey)}`;
}

/** The key of {@link ResourceState.instances} for an instance key. */
export function keyOf(key: InstanceKey): string {
  return key === undefined ? "" : typeof key === "number" ? `[${key}]` : `["${key}"]`;
}

/** How a resource is repeated, told by the keys its instances have in the state. */
export function expansionOf(resource: ResourceState): Expansion {
  const keys = [...resource.instances.values()].map((instance) => instance.key);
  if (keys.some((key) => typeof key === "string")) {
    return {
      kind: "forEach",
      values: new Map(keys.filter((key) => typeof key === "string").map((key) => [key, dynamicValue])),
    };
  }
  const numbers = keys.filter((key) => typeof key === "number");
  return numbers.length > 0 ? { kind: "count", count: Math.max(...numbers) + 1 } : { kind: "single" };
}
