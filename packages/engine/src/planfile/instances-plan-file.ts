import { readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Value } from "@millwright/value/value";
import { backendErrors } from "../backend/errors.ts";
import { writePrivateFile } from "../backend/private-file.ts";
import { bytesToText, decodeValue, encodeValue, type PlainValue, textToBytes } from "./codec.ts";
import { isPlanFile } from "./plan-file.ts";

/** The plans of several instances in one file, with the list they came from, so that an apply needs no source. */
export interface SavedInstancesPlan {
  /** The list's own files in HCL, by path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What a list in TypeScript needs to be run again. */
  readonly contribution?: string;
  /** Values of the list's variables as they were given: {@link variablesBytes}, sealed where plans are. */
  readonly variables: Uint8Array;
  readonly instances: readonly SavedInstance[];
  /** Instances that could not be planned before others are applied. */
  readonly later: readonly { readonly name: string; readonly why: string }[];
}

export interface SavedInstance {
  readonly name: string;
  readonly task: "make" | "remove";
  readonly template: string;
  readonly dependencies: readonly string[];
  readonly used: readonly string[];
  /** The instance's own saved plan, as the bytes of its file: sealed as its template says. */
  readonly plan: Uint8Array;
}

const magic = "millwright-instances-plan";
const format = 1;

interface Document {
  readonly kind: string;
  readonly format: number;
  readonly files: readonly (readonly [string, string])[];
  readonly contribution?: string;
  readonly variables: string;
  readonly instances: readonly (Omit<SavedInstance, "plan"> & { readonly plan: string })[];
  readonly later: SavedInstancesPlan["later"];
}

/** Values of variables as bytes. */
export function variablesBytes(variables: ReadonlyMap<string, Value>): Uint8Array {
  return new TextEncoder().encode(JSON.stringify([...variables].map(([name, value]) => [name, encodeValue(value)])));
}

/** Reads what {@link variablesBytes} wrote. */
export function variablesOf(bytes: Uint8Array): ReadonlyMap<string, Value> {
  const plain = JSON.parse(Buffer.from(bytes).toString("utf8")) as readonly (readonly [string, PlainValue])[];
  return new Map(plain.map(([name, value]) => [name, decodeValue(value)]));
}

/** Writes the plans, for their owner's eyes only (0600), since they hold values in clear. */
export function writeInstancesPlanFile(path: string, plans: SavedInstancesPlan): void {
  const document: Document = {
    kind: magic,
    format,
    ...plans,
    files: [...plans.files].map(([name, bytes]) => [name, bytesToText(bytes)]),
    variables: bytesToText(plans.variables),
    instances: plans.instances.map((instance) => ({ ...instance, plan: bytesToText(instance.plan) })),
  };
  try {
    writePrivateFile(path, gzipSync(JSON.stringify(document), { level: 1 }));
  } catch (error) {
    const text = `The plan file ${path} cannot be written: ${messageOf(error)}.`;
    throw new OperationalError(backendErrors.stateUnwritable, text, { cause: error });
  }
}

/** Reads what {@link writeInstancesPlanFile} wrote. Throws `planUnreadable` for anything else. */
export function readInstancesPlanFile(path: string): SavedInstancesPlan {
  const fail = (why: string, cause?: unknown) => {
    const text = `${path} cannot be read as a saved plan of instances: ${why}`;
    return new OperationalError(backendErrors.planUnreadable, text, { cause });
  };
  try {
    const bytes = readFileSync(path);
    if (!isPlanFile(bytes)) throw fail('it is no plan file. "plan -out=FILE" writes one.');
    const document = JSON.parse(gunzipSync(bytes).toString("utf8")) as Document;
    if (document.kind !== magic)
      throw fail("it is the plan of a single folder. Apply it there, or make a plan of the instances here.");
    if (document.format !== format)
      throw fail(`it is of format ${document.format}, and this program knows format ${format}. Make a new plan.`);
    const { contribution, later } = document;
    return {
      files: new Map(document.files.map(([name, text]) => [name, textToBytes(text)])),
      variables: textToBytes(document.variables),
      instances: document.instances.map((instance) => ({ ...instance, plan: textToBytes(instance.plan) })),
      later,
      ...(contribution === undefined ? {} : { contribution }),
    };
  } catch (error) {
    if (error instanceof OperationalError) throw error;
    throw fail("it is damaged or cut off. Make a new plan.", error);
  }
}
