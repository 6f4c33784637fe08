import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { messageOf } from "@millwright/core/errors";
import { fromPlain } from "@millwright/value/json";
import type { Path, PathStep } from "@millwright/value/path";
import { parsePlain } from "@millwright/value/plain-json";
import { typeFromPlain } from "@millwright/value/type-json";
import { numberValue, stringValue } from "@millwright/value/value";
import type { InstanceKey, ResourceAddress } from "../addresses.ts";
import { absoluteResourceText, parseProviderConfigAddress, wholeProviderConfig } from "../addresses.ts";
import { parseModuleInstance } from "../parse-address.ts";
import type { InstanceState, ObjectState, OutputState, ResourceState, State } from "../state.ts";
import { emptyState, keyOf, noPrivate } from "../state.ts";
import type { StateFile } from "./write.ts";

/**
 * Reads a state file, format version 4. What cannot be read is an error that names the place, and then the state must not be
 * used: to go on with half of it would forget what exists. Properties of objects that this program does not know are kept.
 */
export function readStateFile(text: string, filename: string): Diagnosed<StateFile> {
  const reader = new StateReader(filename);
  const value = reader.file(text);
  return { value, diagnostics: reader.diagnostics };
}

const nothing: StateFile = { lineage: "", serial: 0, state: emptyState, terraformVersion: "" };

type Plain = Readonly<Record<string, unknown>>;

class StateReader {
  readonly diagnostics: Diagnostic[] = [];
  readonly #filename: string;

  constructor(filename: string) {
    this.#filename = filename;
  }

  file(text: string): StateFile {
    let plain: unknown;
    try {
      plain = parsePlain(text);
    } catch (error) {
      this.#error(
        "Invalid JSON in state file",
        `${messageOf(error)}. The file may be cut off or damaged: restore it from its backup.`,
      );
      return nothing;
    }
    if (!isRecord(plain)) return this.#unlike("it is not a JSON object");
    if (typeof plain.encryption_version === "string") return this.#encrypted();
    if (plain.version !== 4) return this.#otherVersion(plain.version);
    const { lineage, serial, terraform_version, outputs, resources } = plain;
    if (typeof lineage !== "string" || typeof serial !== "number")
      return this.#unlike('"lineage" or "serial" is missing');
    const state: State = {
      outputs: isRecord(outputs) ? this.#outputs(outputs) : new Map(),
      resources: this.#resources(Array.isArray(resources) ? resources : []),
      checkResults: plain.check_results ?? null,
    };
    if (hasErrors(this.diagnostics)) return nothing;
    return { lineage, serial, state, terraformVersion: typeof terraform_version === "string" ? terraform_version : "" };
  }

  #error(summary: string, detail: string): void {
    this.diagnostics.push(errorDiagnostic(summary, `${this.#filename}: ${detail}`, { code: "bad-state-file" }));
  }

  #unlike(why: string): StateFile {
    this.#error("Not a state file", `${why}. Nothing was changed.`);
    return nothing;
  }

  #encrypted(): StateFile {
    this.#error(
      "Encrypted state",
      "it is encrypted, and neither an encryption block nor TF_ENCRYPTION says how to read it. Nothing was changed.",
    );
    return nothing;
  }

  #otherVersion(version: unknown): StateFile {
    if (typeof version === "number" && version > 4) {
      this.#error(
        "Unsupported state file format",
        `The state file is of format version ${version}, and this program knows version 4. Use the version of the tool that wrote it.`,
      );
    } else if (typeof version === "number") {
      this.#error(
        "Unsupported state file format",
        `The state file is of format version ${version}, from before Terraform 0.12. Let Terraform 0.12 or 0.13 write it once more ("terraform apply"), which brings it to version 4.`,
      );
    } else this.#unlike('"version" is missing');
    return nothing;
  }

  #outputs(plain: Plain): ReadonlyMap<string, OutputState> {
    const outputs = new Map<string, OutputState>();
    for (const [name, output] of Object.entries(plain)) {
      const type = isRecord(output) ? typeFromPlain(output.type) : undefined;
      const decoded = isRecord(output) && type ? fromPlain(output.value, type) : undefined;
      if (!isRecord(output) || !decoded?.ok) {
        this.#error(
          "Invalid output value in state",
          `The output "${name}" cannot be read: its value does not fit its type.`,
        );
        continue;
      }
      outputs.set(name, { value: decoded.value, sensitive: output.sensitive === true });
    }
    return outputs;
  }

  #resources(plain: readonly unknown[]): ReadonlyMap<string, ResourceState> {
    const resources = new Map<string, ResourceState>();
    plain.forEach((entry, index) => {
      const resource = isRecord(entry) ? this.#resource(entry) : undefined;
      if (!resource)
        this.#error(
          "Invalid resource in state",
          `Entry ${index} of "resources" cannot be read: it needs "mode", "type", "name" and a "provider" as Terraform 0.13 and newer write it.`,
        );
      else if (resource.instances.size > 0) this.#merge(resources, resource);
    });
    return resources;
  }

  #merge(resources: Map<string, ResourceState>, resource: ResourceState): void {
    const text = absoluteResourceText(resource.module, resource.address);
    const known = resources.get(text);
    if (!known) {
      resources.set(text, resource);
      return;
    }
    for (const key of resource.instances.keys()) if (known.instances.has(key)) this.#twice(`${text}${key}`);
    resources.set(text, { ...known, instances: new Map([...known.instances, ...resource.instances]) });
  }

  #twice(instance: string): void {
    this.#error(
      "Duplicate resource instance in state",
      `The object of ${instance} appears twice. Remove one of the two.`,
    );
  }

  #resource(entry: Plain): ResourceState | undefined {
    const { mode, type, name } = entry;
    const module = parseModuleInstance(typeof entry.module === "string" ? entry.module : "");
    if ((mode !== "managed" && mode !== "data") || typeof type !== "string" || typeof name !== "string" || !module)
      return undefined;
    const provider = providerOf(entry);
    if (provider === undefined) return undefined;
    const address: ResourceAddress = { mode, type, name };
    const instances = new Map<string, InstanceState>();
    for (const plain of Array.isArray(entry.instances) ? entry.instances : []) {
      const key = isRecord(plain) ? instanceKey(plain.index_key) : undefined;
      if (!isRecord(plain) || key === "bad") {
        this.#error(
          "Invalid resource instance in state",
          `An instance of ${absoluteResourceText(module, address)} has an "index_key" that is neither text nor a number.`,
        );
        continue;
      }
      const { value } = key!;
      const object = this.#object(plain, absoluteResourceText(module, address));
      const { key: providerKey } = parseProviderConfigAddress(String(plain.provider ?? "")) ?? {};
      const known = instances.get(keyOf(value)) ?? {
        key: value,
        deposed: new Map<string, ObjectState>(),
        ...(providerKey === undefined ? {} : { providerKey }),
      };
      const there = typeof plain.deposed === "string" ? known.deposed.has(plain.deposed) : known.current;
      if (there) this.#twice(`${absoluteResourceText(module, address)}${keyOf(value)}`);
      if (typeof plain.deposed === "string")
        instances.set(keyOf(value), { ...known, deposed: new Map(known.deposed).set(plain.deposed, object) });
      else instances.set(keyOf(value), { ...known, current: object });
    }
    return { module, address, provider, instances };
  }

  #object(plain: Plain, address: string): ObjectState {
    const sensitivePaths: Path[] = [];
    for (const path of Array.isArray(plain.sensitive_attributes) ? plain.sensitive_attributes : []) {
      const read = readPath(path);
      if (read) sensitivePaths.push(read);
      else
        this.#error(
          "Invalid sensitive path in state",
          `A path under "sensitive_attributes" of ${address} cannot be read. To go on could show a secret.`,
        );
    }
    return readObjectPlain(plain, sensitivePaths);
  }
}

/** The resource's provider configuration; where that has instances, its objects name it and the resource does not. */
function providerOf(entry: Plain): string | undefined {
  const first = Array.isArray(entry.instances) ? (entry.instances[0] as unknown) : undefined;
  const text = entry.provider ?? (isRecord(first) ? first.provider : undefined);
  const address = typeof text === "string" ? parseProviderConfigAddress(text) : undefined;
  return address && wholeProviderConfig(address).text;
}

const known = new Set([
  "index_key",
  "provider",
  "status",
  "deposed",
  "schema_version",
  "attributes",
  "attributes_flat",
  "sensitive_attributes",
  "private",
  "dependencies",
  "create_before_destroy",
  "prevent_destroy",
  "identity",
  "identity_schema_version",
]);

function readObjectPlain(plain: Plain, sensitivePaths: readonly Path[]): ObjectState {
  const extra = Object.fromEntries(Object.entries(plain).filter(([name]) => !known.has(name)));
  const { dependencies, attributes, attributes_flat: flat, identity, identity_schema_version: version } = plain;
  return {
    status: plain.status === "tainted" ? "tainted" : "ready",
    schemaVersion: typeof plain.schema_version === "number" ? plain.schema_version : 0,
    attributes:
      attributes === undefined && isRecord(flat)
        ? { form: "flat", flat: flat as Readonly<Record<string, string>> }
        : { form: "json", text: JSON.stringify(attributes ?? null) },
    sensitivePaths,
    private: typeof plain.private === "string" ? new Uint8Array(Buffer.from(plain.private, "base64")) : noPrivate,
    dependencies: Array.isArray(dependencies) ? dependencies.filter((d) => typeof d === "string") : [],
    createBeforeDestroy: plain.create_before_destroy === true,
    ...(plain.prevent_destroy === true ? { preventDestroy: true } : {}),
    ...(isRecord(identity)
      ? {
          identity: { schemaVersion: typeof version === "number" ? version : 0, json: JSON.stringify(identity) },
        }
      : {}),
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
}

/** Reads what `objectPlain` writes: the journal's objects. */
export function objectFromPlain(plain: Readonly<Record<string, unknown>>): ObjectState {
  const paths = Array.isArray(plain.sensitive_attributes) ? plain.sensitive_attributes : [];
  return readObjectPlain(
    plain,
    paths.map(readPath).filter((path) => path !== undefined),
  );
}

function isRecord(plain: unknown): plain is Plain {
  return typeof plain === "object" && plain !== null && !Array.isArray(plain);
}

function instanceKey(plain: unknown): { readonly value: InstanceKey } | "bad" {
  if (plain === undefined || plain === null) return { value: undefined };
  return typeof plain === "string" || typeof plain === "number" ? { value: plain } : "bad";
}

function readPath(plain: unknown): Path | undefined {
  if (!Array.isArray(plain)) return undefined;
  const path: PathStep[] = [];
  for (const step of plain) {
    if (!isRecord(step)) return undefined;
    if (step.type === "get_attr" && typeof step.value === "string") path.push({ attribute: step.value });
    else if (step.type === "index" && isRecord(step.value)) {
      const { value } = step.value;
      if (typeof value === "string") path.push({ index: stringValue(value) });
      else if (typeof value === "number") path.push({ index: numberValue(value) });
      else return undefined;
    } else return undefined;
  }
  return path;
}
