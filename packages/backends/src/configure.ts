import { crc32 } from "node:zlib";
import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import type { SourceRange } from "@millwright/core/source";
import type { StateStorage } from "@millwright/engine/backend/storage";
import { attributeType, impliedType } from "@millwright/provider/implied-type";
import type { BlockSchema } from "@millwright/provider/schema";
import { convert } from "@millwright/value/convert";
import { toPlain } from "@millwright/value/json";
import { sortKey } from "@millwright/value/set-order";
import type { Type } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  asMap,
  isKnown,
  isNull,
  nullValue,
  objectValue,
  stringValue,
  tupleValue,
  unmarkDeep,
} from "@millwright/value/value";
import type { BackendPorts, BackendType } from "./backend-type.ts";
import { type BackendConfig, Settings } from "./settings.ts";
import { backendNames, findBackend } from "./table.ts";

/** A backend with the value of its block, every attribute in it; those that are not set are null. */
export interface ConfiguredBackend {
  readonly type: BackendType;
  readonly value: Value;
}

/** A backend by name; for one that is not there, what to say. */
export async function backendNamed(name: string, subject?: SourceRange): Promise<Diagnosed<BackendType | undefined>> {
  const found = await findBackend(name);
  if (found.kind === "found") return { value: found.type, diagnostics: [] };
  const near = similar(name, backendNames);
  const known = backendNames.map((each) => `"${each}"`).join(", ");
  const detail =
    found.kind === "absent"
      ? `The backend "${name}" is one of Terraform's that this program does not have. It keeps states in ${known}.`
      : `There is no backend named "${name}".${near === undefined ? "" : ` Did you mean "${near}"?`} There are ${known}.`;
  const summary = found.kind === "absent" ? "Unsupported backend type" : "Unknown backend type";
  return { value: undefined, diagnostics: [errorDiagnostic(summary, detail, subject ? { subject } : {})] };
}

/** The value of a backend's block out of an object, as `terraform_remote_state` has it, and saved folders. */
export function backendValue(type: BackendType, config: Value): Diagnosed<Value> {
  const [plain] = unmarkDeep(config);
  const wanted = impliedType(type.schema);
  const invalid = (why: string) =>
    errorDiagnostic(
      "Invalid backend configuration",
      `The configuration is not valid for backend "${type.name}": ${why}.`,
    );
  if (isNull(plain)) return { value: emptyBackend(type), diagnostics: [] };
  if (!isKnown(plain) || (plain.type.kind !== "object" && plain.type.kind !== "map"))
    return { value: emptyBackend(type), diagnostics: [invalid("an object is required")] };
  const diagnostics: Diagnostic[] = [];
  const given = asMap(plain);
  for (const name of given.keys())
    if (!wanted.attributes.has(name)) diagnostics.push(invalid(`there is no attribute ${JSON.stringify(name)}`));
  const attributes: [string, Value][] = [];
  for (const [name, attribute] of wanted.attributes) {
    const value = given.get(name);
    const converted = value && !isNull(value) ? converts(value, type.schema, name, attribute) : nullValue(attribute);
    if (converted) attributes.push([name, converted]);
    else diagnostics.push(invalid(`the value of ${JSON.stringify(name)} is not suitable`));
  }
  return { value: hasErrors(diagnostics) ? emptyBackend(type) : objectValue(attributes), diagnostics };
}

function converts(value: Value, schema: BlockSchema, name: string, wanted: Type): Value | undefined {
  const nested = schema.attributes.get(name)?.nested?.attributes ?? schema.blocks.get(name)?.block.attributes;
  if (!nested) {
    const converted = convert(value, wanted);
    return converted.ok ? converted.value : undefined;
  }
  if (value.type.kind !== "object" && value.type.kind !== "map") return undefined;
  const given = asMap(value);
  if ([...given.keys()].some((key) => !nested.has(key))) return undefined;
  const attributes: [string, Value][] = [];
  for (const [key, attribute] of nested) {
    const part = given.get(key);
    const type = attributeType(attribute);
    const converted = part && !isNull(part) ? convert(part, type) : undefined;
    if (converted && !converted.ok) return undefined;
    attributes.push([key, converted?.ok ? converted.value : nullValue(type)]);
  }
  return objectValue(attributes);
}

/** A block that says nothing. */
export function emptyBackend(type: BackendType): Value {
  return objectValue([...impliedType(type.schema).attributes].map(([name, attribute]) => [name, nullValue(attribute)]));
}

/** One block laid over another, attribute by attribute. */
export function layOver(base: Value, over: Value): Value {
  const above = asMap(over);
  return objectValue(
    [...asMap(base)].map(([name, value]) => {
      const other = above.get(name);
      return [name, other && !isNull(other) ? other : value] as const;
    }),
  );
}

/**
 * The number by which a working folder knows that its block has not changed: what Terraform writes, the CRC-32 of go-cty's
 * bytes for the type's name and the block as it stands in the files, without `-backend-config`.
 */
export function backendHash(type: string, value: Value): number {
  return crc32(sortKey(tupleValue([stringValue(type), unmarkDeep(value)[0]])));
}

/** The block as JSON: what a working folder keeps. */
export function backendPlain(type: BackendType, value: Value): BackendConfig {
  return toPlain(unmarkDeep(value)[0], impliedType(type.schema)) as BackendConfig;
}

/** Opens a backend. What is wrong with its configuration is a diagnostic; nothing was reached then. */
export async function openBackend(
  type: BackendType,
  config: BackendConfig,
  ports: BackendPorts,
): Promise<Diagnosed<StateStorage | undefined>> {
  const settings = new Settings(config, type.environment, ports.env);
  const unfit = settings.unfitVariables(type.schema);
  const diagnostics = (unfit.length > 0 ? unfit : type.check(settings)).map((why) =>
    errorDiagnostic(
      "Invalid backend configuration",
      `The backend "${type.name}" cannot be used as it is configured: ${why}. Set it in the block, or with init -backend-config=NAME=VALUE.`,
    ),
  );
  return { value: diagnostics.length > 0 ? undefined : await type.open(settings, ports), diagnostics };
}
