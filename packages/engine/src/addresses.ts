import {
  builtinTerraform,
  defaultRegistry,
  legacyNamespace,
  parseProviderSource,
  type ProviderSource,
  providerSourceText,
} from "@millwright/sources/provider-source";
import { compareKeys } from "@millwright/value/types";

export {
  builtinTerraform,
  defaultRegistry,
  impliedProviderSource,
  parseProviderSource,
  type ProviderSource,
  providerSourceShort,
  providerSourceText,
} from "@millwright/sources/provider-source";

/** Which instance of something repeated: none (not repeated), a number (`count`), or a string (`for_each`). */
export type InstanceKey = undefined | number | string;

/** An instance of a module: the root, or a way of calls from it, each with its key. `text` is empty for the root. */
export interface ModuleInstance {
  readonly steps: readonly { readonly name: string; readonly key: InstanceKey }[];
  readonly text: string;
}

export const rootModule: ModuleInstance = { steps: [], text: "" };

/** The instance `name[key]` inside `parent`. */
export function childModule(parent: ModuleInstance, name: string, key: InstanceKey): ModuleInstance {
  const steps = [...parent.steps, { name, key }];
  return { steps, text: `${prefixOf(parent)}module.${name}${keyText(key)}` };
}

/** `module.name[*]` inside `parent`: what stands for its instances, whose keys are not known yet. */
export function everyModule(parent: ModuleInstance, name: string): ModuleInstance {
  const { steps } = childModule(parent, name, undefined);
  return { steps, text: `${prefixOf(parent)}module.${name}${everyKey}` };
}

/** How the address of something ends that stands for instances whose keys are not known yet. */
export const everyKey = "[*]";

/** The way of names without keys: `module.a.module.b`, as configuration knows a module; empty for the root. */
export function staticModule(module: ModuleInstance): string {
  return module.steps.map((step) => `module.${step.name}`).join(".");
}

export type ResourceMode = "managed" | "data" | "ephemeral";

/** A resource as its module writes it: `aws_thing.a`, `data.aws_thing.a`. */
export interface ResourceAddress {
  readonly mode: ResourceMode;
  readonly type: string;
  readonly name: string;
}

/** `type.name`, `data.type.name` or `ephemeral.type.name`. */
export function resourceText(resource: ResourceAddress): string {
  const text = `${resource.type}.${resource.name}`;
  return resource.mode === "managed" ? text : `${resource.mode}.${text}`;
}

/** One instance of a resource in one instance of its module; `text` is its whole address. */
export interface InstanceAddress {
  readonly module: ModuleInstance;
  readonly resource: ResourceAddress;
  readonly key: InstanceKey;
  readonly text: string;
}

export function instanceAddress(module: ModuleInstance, resource: ResourceAddress, key: InstanceKey): InstanceAddress {
  return { module, resource, key, text: `${absoluteResourceText(module, resource)}${keyText(key)}` };
}

/** `aws_thing.b[*]`: what stands for the instances of a resource, whose keys are not known yet. */
export function everyInstance(module: ModuleInstance, resource: ResourceAddress): InstanceAddress {
  return { module, resource, key: undefined, text: `${absoluteResourceText(module, resource)}${everyKey}` };
}

/** `module.a["x"].aws_thing.b`: the resource in a module instance, without an instance key. */
export function absoluteResourceText(module: ModuleInstance, resource: ResourceAddress): string {
  return `${prefixOf(module)}${resourceText(resource)}`;
}

/** `module.a.aws_thing.b`: the resource as configuration knows it, without any instance keys. */
export function configResourceText(module: ModuleInstance, resource: ResourceAddress): string {
  const path = staticModule(module);
  return path === "" ? resourceText(resource) : `${path}.${resourceText(resource)}`;
}

export function keyText(key: InstanceKey): string {
  if (key === undefined) return "";
  return typeof key === "number" ? `[${key}]` : `[${quoteKey(key)}]`;
}

/** Orders instances as people expect them: by module, type, name, then key (numbers by value, before strings). */
export function compareInstances(a: InstanceAddress, b: InstanceAddress): number {
  return (
    compareModules(a.module, b.module) || compareResources(a.resource, b.resource) || compareInstanceKeys(a.key, b.key)
  );
}

export function compareModules(a: ModuleInstance, b: ModuleInstance): number {
  if (a.text === b.text) return 0;
  if (a.steps.length !== b.steps.length) return a.steps.length - b.steps.length;
  for (const [i, x] of a.steps.entries()) {
    const y = b.steps[i]!;
    const order = compareKeys(x.name, y.name) || compareInstanceKeys(x.key, y.key);
    if (order !== 0) return order;
  }
  return 0;
}

export function compareInstanceKeys(a: InstanceKey, b: InstanceKey): number {
  if (a === b) return 0;
  if (a === undefined) return -1;
  if (b === undefined) return 1;
  if (typeof a === "number") return typeof b === "number" ? a - b : -1;
  return typeof b === "number" ? 1 : compareKeys(a, b);
}

function compareResources(a: ResourceAddress, b: ResourceAddress): number {
  if (a.mode !== b.mode) return a.mode === "managed" ? 1 : b.mode === "managed" ? -1 : compareKeys(a.mode, b.mode);
  return compareKeys(a.type, b.type) || compareKeys(a.name, b.name);
}

function prefixOf(module: ModuleInstance): string {
  return module.text === "" ? "" : `${module.text}.`;
}

// A key is printed as an HCL string: quotes, backslashes, template openings and all that does not print escaped.
function quoteKey(key: string): string {
  const escaped = key
    .replace(/[\\"]/g, "\\$&")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t")
    .replace(/[$%](?=\{)/g, "$&$&")
    .replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, escapeCharacter);
  return `"${escaped}"`;
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0)!.toString(16);
  return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
}

/** A configuration of a provider: in which (static) module it is written, and its alias. */
export interface ProviderConfigAddress {
  readonly module: string;
  readonly source: ProviderSource;
  readonly alias?: string;
  /** Which of a configuration's instances, where it has `for_each`. */
  readonly key?: string;
  /** `module.a.provider["registry.terraform.io/hashicorp/consul"].alias["key"]`, as state files hold it. */
  readonly text: string;
}

export function providerConfigAddress(
  module: string,
  source: ProviderSource,
  alias?: string,
  key?: string,
): ProviderConfigAddress {
  const text = `${module === "" ? "" : `${module}.`}provider["${providerSourceText(source)}"]${alias === undefined ? "" : `.${alias}`}${keyText(key)}`;
  return { module, source, text, ...(alias === undefined ? {} : { alias }), ...(key === undefined ? {} : { key }) };
}

/** The configuration that an instance belongs to: the same address without a key. */
export function wholeProviderConfig({ module, source, alias }: ProviderConfigAddress): ProviderConfigAddress {
  return providerConfigAddress(module, source, alias);
}

/** Reads what {@link providerConfigAddress} prints; undefined where it is not of that form. */
export function parseProviderConfigAddress(text: string): ProviderConfigAddress | undefined {
  // Every resource of a state has one, and there are few.
  const known = parsedAddresses.get(text);
  if (known) return known;
  const parsed = readProviderConfigAddress(text);
  if (parsed) parsedAddresses.set(text, parsed);
  return parsed;
}

const parsedAddresses = new Map<string, ProviderConfigAddress>();

function readProviderConfigAddress(text: string): ProviderConfigAddress | undefined {
  // As states of Terraform 0.12 have it: `provider.aws.west`.
  const [, module = "", type, alias] = /^(?:(module\..+?)\.)?provider\. ?([\w-]+)(?:\.([\w-]+))?$/.exec(text) ?? [];
  if (type !== undefined) {
    const legacy = { host: defaultRegistry, namespace: legacyNamespace, type };
    return providerConfigAddress(module, type === "terraform" ? builtinTerraform : legacy, alias);
  }
  const match = /^(?:(module\..+?)\.)?provider\["([^"]+)"\](?:\.([\w-]+))?(?:\[(".*")\])?$/.exec(text);
  const source = match && parseProviderSource(match[2]!);
  if (!match || !source) return undefined;
  return providerConfigAddress(
    match[1] ?? "",
    source,
    match[3],
    match[4] === undefined ? undefined : unquoteKey(match[4]),
  );
}

function unquoteKey(quoted: string): string {
  const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };
  return quoted
    .slice(1, -1)
    .replace(/\\(?:u([0-9a-f]{4})|U([0-9a-f]{8})|(.))/g, (_, short?: string, long?: string, one = "") => {
      const code = short ?? long;
      return code === undefined ? (escapes[one] ?? one) : String.fromCodePoint(Number.parseInt(code, 16));
    })
    .replace(/([$%])\1(?=\{)/g, "$1");
}
