import { toPlain } from "@millwright/value/json";
import { typeToPlain } from "@millwright/value/type-json";
import { compareKeys } from "@millwright/value/types";
import type { Path } from "@millwright/value/path";
import { parsePlain } from "@millwright/value/plain-json";
import { asNumber, asString, type Value } from "@millwright/value/value";
import type { InstanceKey } from "../addresses.ts";
import { compareInstanceKeys, compareModules } from "../addresses.ts";
import type { InstanceState, ObjectState, ResourceState, State } from "../state.ts";
import { providerOfInstance } from "../state.ts";
import { servedTerraformVersion } from "../provider-pool.ts";

/** A state with what names its file: who it is (`lineage`), and how often it was written (`serial`). */
export interface StateFile {
  readonly lineage: string;
  readonly serial: number;
  readonly state: State;
  /** The version of the program that wrote it last. */
  readonly terraformVersion: string;
}

/** The text of a state file, format version 4, as Terraform and OpenTofu read it. */
export function writeStateFile(file: Omit<StateFile, "terraformVersion">): string {
  return `${JSON.stringify(stateFilePlain(file), null, 2)}\n`;
}

function stateFilePlain({ lineage, serial, state }: Omit<StateFile, "terraformVersion">): unknown {
  const outputs = [...state.outputs].map(([name, { value, sensitive }]) => {
    return [
      name,
      { value: toPlain(value, value.type), type: typeToPlain(value.type), ...(sensitive ? { sensitive } : {}) },
    ] as const;
  });
  return {
    version: 4,
    terraform_version: servedTerraformVersion,
    serial,
    lineage,
    outputs: Object.fromEntries(outputs),
    resources: [...state.resources.values()].sort(compareResources).map(resourcePlain),
    check_results: state.checkResults ?? null,
  };
}

function compareResources(a: ResourceState, b: ResourceState): number {
  return (
    compareModules(a.module, b.module) ||
    (a.address.mode === b.address.mode ? 0 : a.address.mode === "data" ? -1 : 1) ||
    compareKeys(a.address.type, b.address.type) ||
    compareKeys(a.address.name, b.address.name)
  );
}

function resourcePlain(resource: ResourceState): unknown {
  const { module, address, provider } = resource;
  const keyed = [...resource.instances.values()].some(({ providerKey }) => providerKey !== undefined);
  const instances = [...resource.instances.values()].sort((a, b) => compareInstanceKeys(a.key, b.key));
  return {
    ...(module.text === "" ? {} : { module: module.text }),
    mode: address.mode,
    type: address.type,
    name: address.name,
    ...(keyed ? {} : { provider }),
    instances: instances.flatMap((instance) => {
      const objects = instancePlain(instance);
      // As OpenTofu has it: where a provider has instances, each object names its own.
      return keyed
        ? objects.map((object) => ({ ...object, provider: providerOfInstance(resource, instance) }))
        : objects;
    }),
  };
}

function instancePlain({ key, current, deposed }: InstanceState): Readonly<Record<string, unknown>>[] {
  const objects = [...deposed].map(([deposedKey, object]) => objectPlain(key, object, deposedKey));
  return current ? [objectPlain(key, current, undefined), ...objects] : objects;
}

/** One object of an instance, as the file and the journal hold it. */
export function objectPlain(
  key: InstanceKey,
  object: ObjectState,
  deposedKey: string | undefined,
): Readonly<Record<string, unknown>> {
  const { attributes } = object;
  return {
    ...(key === undefined ? {} : { index_key: key }),
    ...(object.status === "tainted" ? { status: "tainted" } : {}),
    ...(deposedKey === undefined ? {} : { deposed: deposedKey }),
    schema_version: object.schemaVersion,
    ...(attributes.form === "flat"
      ? { attributes_flat: attributes.flat }
      : { attributes: attributesPlain(attributes) }),
    sensitive_attributes: object.sensitivePaths.map(pathPlain),
    ...identityPlain(object.identity),
    ...(object.private.length > 0 ? { private: Buffer.from(object.private).toString("base64") } : {}),
    ...(object.dependencies.length > 0 ? { dependencies: object.dependencies } : {}),
    ...(object.createBeforeDestroy ? { create_before_destroy: true } : {}),
    ...(object.preventDestroy ? { prevent_destroy: true } : {}),
    ...object.extra,
  };
}

/** The identity of an object as state files and the JSON formats have it. */
export function identityPlain(identity: ObjectState["identity"]): Readonly<Record<string, unknown>> {
  return identity ? { identity_schema_version: identity.schemaVersion, identity: parsePlain(identity.json) } : {};
}

function attributesPlain(attributes: Exclude<ObjectState["attributes"], { readonly form: "flat" }>): unknown {
  if (attributes.form === "json") return parsePlain(attributes.text);
  return toPlain(attributes.value, attributes.type);
}

function pathPlain(path: Path): unknown {
  return path.map((step) =>
    "attribute" in step ? { type: "get_attr", value: step.attribute } : { type: "index", value: keyPlain(step.index) },
  );
}

function keyPlain(key: Value): unknown {
  return key.type.kind === "number"
    ? { value: asNumber(key).toNumber(), type: "number" }
    : { value: asString(key), type: "string" };
}
