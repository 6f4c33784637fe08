import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Value } from "@millwright/value/value";
import { backendErrors } from "../backend/errors.ts";
import { writePrivateFile } from "../backend/private-file.ts";
import { bytesToText, decodeValue, encodeValue, type PlainValue, textToBytes } from "../planfile/codec.ts";

/** What an instance was made by at its last apply: enough to remove it when neither list nor template is there any more. */
export interface InstanceRecord {
  /** Relative to the list's folder. */
  readonly template: string;
  /** Where its state is kept, for people and to be compared; and the state's lineage. */
  readonly place: string;
  readonly lineage: string;
  /** Names of the instances that its inputs came from. */
  readonly dependencies: readonly string[];
  /** Names of the outputs that the template declared: one that the state does not have was null. */
  readonly outputs: readonly string[];
  readonly inputs: ReadonlyMap<string, Value>;
  /** Names of inputs that are secret and not kept, since the state is encrypted and this is not. */
  readonly withheld: readonly string[];
  /** The template's files, by path relative to it. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What TypeScript in the template needs to be run again. */
  readonly contribution?: string;
}

/** Where what belongs to one instance is kept on this machine: its state (without a backend), and its record. */
export function instanceFolder(listFolder: string, name: string): string {
  return join(listFolder, ".millwright", "instances", name);
}

/** Names of all instances that something is kept of. */
export function rememberedInstances(listFolder: string): string[] {
  const folder = dirname(instanceFolder(listFolder, "x"));
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

const format = 1;
const fileName = "made-by.json";

interface Document {
  readonly format: number;
  readonly template: string;
  readonly place: string;
  readonly lineage: string;
  readonly dependencies: readonly string[];
  readonly outputs: readonly string[];
  readonly inputs: readonly (readonly [string, PlainValue])[];
  readonly withheld: readonly string[];
  readonly files: readonly (readonly [string, string])[];
  readonly contribution?: string;
}

/** Remembers what an instance is made by, for its owner's eyes only (0600), since inputs may be secret. */
export function writeRecord(listFolder: string, name: string, record: InstanceRecord): void {
  const folder = instanceFolder(listFolder, name);
  const document: Document = {
    format,
    ...record,
    inputs: [...record.inputs].map(([input, value]) => [input, encodeValue(value)]),
    files: [...record.files].map(([path, bytes]) => [path, bytesToText(bytes)]),
  };
  try {
    mkdirSync(folder, { recursive: true });
    writePrivateFile(join(folder, fileName), JSON.stringify(document));
  } catch (error) {
    const text = `What the instance "${name}" is made by cannot be written to ${folder}: ${messageOf(error)}.`;
    throw new OperationalError(backendErrors.stateUnwritable, text, { cause: error });
  }
}

/** Undefined where nothing is remembered. Throws `stateUnreadable` where that is damaged. */
export function readRecord(listFolder: string, name: string): InstanceRecord | undefined {
  const path = join(instanceFolder(listFolder, name), fileName);
  if (!existsSync(path)) return undefined;
  try {
    const document = JSON.parse(readFileSync(path, "utf8")) as Document;
    if (document.format !== format) throw new Error(`its format is ${document.format}, and ${format} is known`);
    const { template, place, lineage, dependencies, outputs, withheld, contribution } = document;
    return {
      template,
      place,
      lineage,
      dependencies,
      outputs,
      withheld,
      inputs: new Map(document.inputs.map(([input, value]) => [input, decodeValue(value)])),
      files: new Map(document.files.map(([file, text]) => [file, textToBytes(text)])),
      ...(contribution === undefined ? {} : { contribution }),
    };
  } catch (error) {
    const text = `${path}, which says what the instance "${name}" was made by, cannot be read: ${messageOf(error)}. Without it the instance is still known by its state; list it again, or put the file back.`;
    throw new OperationalError(backendErrors.stateUnreadable, text, { cause: error });
  }
}

/** Forgets an instance that has nothing any more. */
export function forgetInstance(listFolder: string, name: string): void {
  rmSync(join(instanceFolder(listFolder, name), fileName), { force: true });
}
