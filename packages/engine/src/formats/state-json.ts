import { typeToPlain } from "@millwright/value/type-json";
import type { Value } from "@millwright/value/value";
import { isKnown } from "@millwright/value/value";
import type { InstanceAddress, ModuleInstance } from "../addresses.ts";
import {
  childModule,
  compareInstances,
  compareModules,
  parseProviderConfigAddress,
  providerSourceText,
  rootModule,
} from "../addresses.ts";
import { readCheckResults } from "../check/results.ts";
import { readObject } from "../objects.ts";
import type { ProviderPool } from "../provider-pool.ts";
import { servedTerraformVersion } from "../provider-pool.ts";
import type { ObjectState, OutputState, State } from "../state.ts";
import { instancesOf } from "../state.ts";
import { identityPlain } from "../statefile/write.ts";
import { checksJson } from "./checks-json.ts";
import { knownPlain, sensitivePlain } from "./values-json.ts";

type Plain = Readonly<Record<string, unknown>>;

/** A state in the documented JSON output format 1.0 (`show -json`). It holds sensitive values in clear, as that format does. */
export async function stateJson(state: State, pool: ProviderPool): Promise<Plain> {
  const checks = readCheckResults(state.checkResults);
  const values = await stateValues(state, pool);
  const checked = checks.length > 0 ? { checks: checksJson(checks) } : {};
  return { format_version: "1.0", terraform_version: servedTerraformVersion, values, ...checked };
}

async function stateValues(state: State, pool: ProviderPool): Promise<Plain> {
  const sources = [...state.resources.values()].flatMap(
    (resource) => parseProviderConfigAddress(resource.provider)?.source ?? [],
  );
  await pool.load(sources);
  const entries: ModuleEntry[] = [];
  for (const { address, resource, instance } of instancesOf(state)) {
    const objects: [string | undefined, ObjectState | undefined][] = [
      [undefined, instance.current],
      ...instance.deposed,
    ];
    for (const [deposedKey, object] of objects) {
      if (object)
        entries.push({ address, plain: await objectJson(address, resource.provider, object, deposedKey, pool) });
    }
  }
  return {
    ...(state.outputs.size > 0 ? { outputs: outputsJson(state.outputs) } : {}),
    root_module: moduleTree(entries),
  };
}

function outputsJson(outputs: ReadonlyMap<string, OutputState>): Plain {
  return Object.fromEntries(
    [...outputs].map(
      ([name, { value, sensitive }]) =>
        [name, { sensitive, value: knownPlain(value), type: typeToPlain(value.type) }] as const,
    ),
  );
}

/** Something to file under its module: a resource instance of a state or of a plan. */
export interface ModuleEntry {
  readonly address: InstanceAddress;
  readonly plain: Plain;
}

/** What the JSON formats say of a resource instance's address. */
export function addressPlain(address: InstanceAddress): Plain {
  const { mode, type, name } = address.resource;
  return { address: address.text, mode, type, name, ...(address.key === undefined ? {} : { index: address.key }) };
}

async function objectJson(
  address: InstanceAddress,
  provider: string,
  object: ObjectState,
  deposedKey: string | undefined,
  pool: ProviderPool,
): Promise<Plain> {
  const config = parseProviderConfigAddress(provider);
  const schema = config && pool.resourceSchema(config.source, address.resource);
  const value =
    config && schema ? (await readObject(object, address, schema, await pool.any(config.source))).value : undefined;
  return {
    ...addressPlain(address),
    provider_name: config ? providerSourceText(config.source) : provider,
    schema_version: object.schemaVersion,
    ...valuesPlain(value),
    ...identityPlain(object.identity),
    ...(object.dependencies.length > 0 ? { depends_on: object.dependencies } : {}),
    ...(object.status === "tainted" ? { tainted: true } : {}),
    ...(deposedKey === undefined ? {} : { deposed_key: deposedKey }),
  };
}

/** `values` and `sensitive_values` of an object; neither where its schema is not to be had. */
export function valuesPlain(value: Value | undefined): Plain {
  if (!value || !isKnown(value)) return {};
  return { values: knownPlain(value), sensitive_values: sensitivePlain(value) };
}

/** Files entries under their modules, as a tree from the root. Modules without resources of their own are there where they lead to some. */
export function moduleTree(entries: readonly ModuleEntry[], compare = compareInstances): Plain {
  const sorted = [...entries].sort((a, b) => compare(a.address, b.address));
  const byModule = Map.groupBy(sorted, ({ address }) => address.module.text);
  const children = new Map<string, Map<string, ModuleInstance>>();
  for (const [first] of byModule.values()) {
    let parent = rootModule;
    for (const step of first!.address.module.steps) {
      const child = childModule(parent, step.name, step.key);
      const known = children.get(parent.text) ?? new Map<string, ModuleInstance>();
      children.set(parent.text, known.set(child.text, child));
      parent = child;
    }
  }
  const build = (module: ModuleInstance): Plain => {
    const own = byModule.get(module.text);
    const below = [...(children.get(module.text)?.values() ?? [])].sort(compareModules);
    return {
      ...(own ? { resources: own.map(({ plain }) => plain) } : {}),
      ...(below.length > 0 ? { child_modules: below.map(build) } : {}),
      ...(module.text === "" ? {} : { address: module.text }),
    };
  };
  return build(rootModule);
}
