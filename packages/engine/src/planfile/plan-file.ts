import { readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Value } from "@millwright/value/value";
import type { InstanceAddress, ProviderConfigAddress } from "../addresses.ts";
import { childModule, instanceAddress, parseProviderConfigAddress, rootModule } from "../addresses.ts";
import { backendErrors } from "../backend/errors.ts";
import { writePrivateFile } from "../backend/private-file.ts";
import type { Expansion } from "../expansion.ts";
import { parseAddress } from "../parse-address.ts";
import type { CheckResult, Deferral, Importing, InstanceChange, OutputChange, Plan } from "../plan/plan.ts";
import { emptyState } from "../state.ts";
import { readStateFile } from "../statefile/read.ts";
import { writeStateFile } from "../statefile/write.ts";
import type { PlainStep, PlainValue } from "./codec.ts";
import { bytesToText, decodePath, decodeValue, encodePath, encodeValue, textToBytes } from "./codec.ts";

/** A plan with all that applying it needs, so that no source has to be there any more. */
export interface SavedPlan {
  readonly plan: Plan;
  /** The configuration's files as they were read, by path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The versions of the providers that made it, by source. */
  readonly providers: ReadonlyMap<string, string>;
  /** What a further source of configuration (a TypeScript stack) needs to be made again, in its own words. */
  readonly contribution?: string;
  /** Where the state of before is kept, and that of after it is to be; where that is not told, the folder says. */
  readonly backend?: PlanBackend;
}

/** A backend as the folder was initialised with it, and the workspace. */
export interface PlanBackend {
  readonly type: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly workspace: string;
}

const magic = "millwright-plan";
const format = 1;

/** Writes a saved plan: a gzipped JSON document, for its owner's eyes only (0600), since it holds values in clear. */
export function writePlanFile(path: string, saved: SavedPlan): void {
  const bytes = planBytes(saved);
  try {
    writePrivateFile(path, bytes);
  } catch (error) {
    throw new OperationalError(
      backendErrors.stateUnwritable,
      `The plan file ${path} cannot be written: ${messageOf(error)}.`,
      { cause: error },
    );
  }
}

/** A saved plan as the bytes of its file. */
export function planBytes(saved: SavedPlan): Uint8Array {
  return gzipSync(JSON.stringify(encode(saved)), { level: 1 });
}

/** What the history keeps of a plan: the changes alone, and the configuration; neither states nor what stays as it is. */
export function withoutStates(saved: SavedPlan): SavedPlan {
  const changes = saved.plan.changes.filter(({ action }) => action !== "no-op");
  const expansions = { calls: new Map(), resources: new Map() };
  const plan = { ...saved.plan, changes, expansions, previousState: emptyState, priorState: emptyState };
  return { ...saved, plan };
}

/** Whether a file begins as a saved plan does. */
export function isPlanFile(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Reads a saved plan. Throws `planUnreadable` where it is none, is damaged, or is of another version. */
export function readPlanFile(path: string): SavedPlan {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw unreadable(path, `${messageOf(error)}.`, error);
  }
  return savedPlanOf(bytes, path);
}

function unreadable(path: string, why: string, cause?: unknown): OperationalError {
  return new OperationalError(backendErrors.planUnreadable, `${path} cannot be read as a saved plan: ${why}`, {
    cause,
  });
}

/** Reads the bytes of a saved plan; `path` is what messages call it. Throws as {@link readPlanFile} does. */
export function savedPlanOf(bytes: Uint8Array, path: string): SavedPlan {
  const fail = (why: string, cause?: unknown) => unreadable(path, why, cause);
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) {
    throw fail("it was made by Terraform or OpenTofu. Apply it with the tool that made it, or make a plan here.");
  }
  if (!isPlanFile(bytes)) throw fail('it is no plan file. "plan -out=FILE" writes one.');
  let document: Document;
  try {
    document = JSON.parse(gunzipSync(bytes).toString("utf8")) as Document;
  } catch (error) {
    throw fail("it is damaged or cut off. Make a new plan.", error);
  }
  if (document.kind !== magic) throw fail('it is no plan file. "plan -out=FILE" writes one.');
  if (document.format !== format)
    throw fail(`it is of format ${document.format}, and this program knows format ${format}. Make a new plan.`);
  try {
    return decode(document);
  } catch (error) {
    if (error instanceof OperationalError) throw error;
    throw fail("it is damaged or cut off. Make a new plan.", error);
  }
}

interface Document {
  readonly kind: string;
  readonly format: number;
  readonly mode: Plan["mode"];
  readonly variables: readonly (readonly [string, PlainValue])[];
  /** Not in plans of before there were any. */
  readonly ephemeralVariables?: readonly string[];
  readonly changes: readonly PlainChange[];
  readonly drift: readonly PlainChange[];
  /** Not in plans of before there were any. */
  readonly deferrals?: readonly PlainDeferral[];
  readonly relevant?: readonly {
    readonly resource: string;
    readonly key?: string | number;
    readonly attribute: readonly PlainStep[];
  }[];
  readonly variablesFrom?: readonly (readonly [string, string])[];
  readonly outputs: readonly (readonly [string, PlainOutput])[];
  readonly previousState: string;
  readonly priorState: string;
  readonly lineage: string;
  readonly serial: number;
  readonly calls: readonly (readonly [string, PlainExpansion])[];
  readonly resources: readonly (readonly [string, PlainExpansion])[];
  readonly refreshed: boolean;
  readonly targets: readonly string[];
  readonly excludes?: readonly string[];
  readonly forceReplace: readonly string[];
  readonly timestamp: string;
  readonly errored: boolean;
  readonly checks: readonly CheckResult[];
  readonly settled: readonly string[];
  /** Not in plans of before there were any. */
  readonly unread?: readonly string[];
  readonly files: readonly (readonly [string, string])[];
  readonly providers: readonly (readonly [string, string])[];
  readonly contribution?: string;
  readonly backend?: PlanBackend;
}

function encode({ plan, files, providers, contribution, backend }: SavedPlan): Document {
  const { lineage, serial } = plan;
  return {
    kind: magic,
    format,
    mode: plan.mode,
    variables: [...plan.variables].map(([name, value]) => [name, encodeValue(value)] as const),
    ephemeralVariables: plan.ephemeralVariables,
    changes: plan.changes.map(encodeChange),
    drift: plan.drift.map(encodeChange),
    deferrals: plan.deferrals.map(encodeDeferral),
    relevant: plan.relevant.map(({ attribute, ...which }) => ({ ...which, attribute: encodePath(attribute) })),
    ...(plan.variablesFrom ? { variablesFrom: [...plan.variablesFrom] } : {}),
    outputs: [...plan.outputs].map(([name, output]) => [name, encodeOutput(output)] as const),
    previousState: writeStateFile({ lineage, serial, state: plan.previousState }),
    priorState: writeStateFile({ lineage, serial, state: plan.priorState }),
    lineage,
    serial,
    calls: [...plan.expansions.calls].map(([key, expansion]) => [key, encodeExpansion(expansion)] as const),
    resources: [...plan.expansions.resources].map(([key, { expansion }]) => [key, encodeExpansion(expansion)] as const),
    refreshed: plan.refreshed,
    targets: plan.targets,
    ...(plan.excludes ? { excludes: plan.excludes } : {}),
    forceReplace: plan.forceReplace,
    timestamp: plan.timestamp,
    errored: plan.errored,
    checks: plan.checks,
    settled: plan.settled,
    unread: plan.unread,
    files: [...files].map(([path, bytes]) => [path, bytesToText(bytes)] as const),
    providers: [...providers],
    ...(contribution === undefined ? {} : { contribution }),
    ...(backend ? { backend } : {}),
  };
}

function decode(document: Document): SavedPlan {
  const state = (text: string) => readStateFile(text, "the state in the plan").value.state;
  const resources: Plan["expansions"]["resources"] = new Map(
    document.resources.map(([text, expansion]) => {
      const { module, resource } = addressOf(text);
      return [text, { module, resource, expansion: decodeExpansion(expansion) }] as const;
    }),
  );
  const plan: Plan = {
    mode: document.mode,
    variables: new Map(document.variables.map(([name, value]) => [name, decodeValue(value)] as const)),
    ephemeralVariables: document.ephemeralVariables ?? [],
    changes: document.changes.map(decodeChange),
    drift: document.drift.map(decodeChange),
    deferrals: (document.deferrals ?? []).map(decodeDeferral),
    relevant: (document.relevant ?? []).map(({ attribute, ...which }) => {
      return { ...which, attribute: decodePath(attribute) };
    }),
    ...(document.variablesFrom ? { variablesFrom: new Map(document.variablesFrom) } : {}),
    outputs: new Map(document.outputs.map(([name, output]) => [name, decodeOutput(output)] as const)),
    previousState: state(document.previousState),
    priorState: state(document.priorState),
    lineage: document.lineage,
    serial: document.serial,
    expansions: {
      calls: new Map(document.calls.map(([key, expansion]) => [key, decodeExpansion(expansion)] as const)),
      resources,
    },
    refreshed: document.refreshed,
    targets: document.targets,
    ...(document.excludes ? { excludes: document.excludes } : {}),
    forceReplace: document.forceReplace,
    timestamp: document.timestamp,
    errored: document.errored,
    checks: document.checks,
    settled: document.settled,
    unread: document.unread ?? [],
  };
  return {
    plan,
    files: new Map(document.files.map(([path, text]) => [path, textToBytes(text)] as const)),
    providers: new Map(document.providers),
    ...(document.contribution === undefined ? {} : { contribution: document.contribution }),
    ...(document.backend ? { backend: document.backend } : {}),
  };
}

type PlainChange = Omit<
  InstanceChange,
  | "address"
  | "provider"
  | "before"
  | "after"
  | "replacePaths"
  | "priorPrivate"
  | "plannedPrivate"
  | "importing"
  | "beforeIdentity"
  | "afterIdentity"
> & {
  readonly address: string;
  readonly provider: string;
  readonly before: PlainValue;
  readonly after: PlainValue;
  readonly replacePaths: readonly (readonly PlainStep[])[];
  readonly priorPrivate: string;
  readonly plannedPrivate: string;
  readonly beforeIdentity?: PlainValue;
  readonly afterIdentity?: PlainValue;
  readonly importing?: Omit<Importing, "identity"> & { readonly identity?: PlainValue };
};

function encodeChange({ importing, beforeIdentity, afterIdentity, ...change }: InstanceChange): PlainChange {
  return {
    ...change,
    address: change.address.text,
    provider: change.provider.text,
    before: encodeValue(change.before),
    after: encodeValue(change.after),
    replacePaths: change.replacePaths.map(encodePath),
    priorPrivate: bytesToText(change.priorPrivate),
    plannedPrivate: bytesToText(change.plannedPrivate),
    ...(beforeIdentity ? { beforeIdentity: encodeValue(beforeIdentity) } : {}),
    ...(afterIdentity ? { afterIdentity: encodeValue(afterIdentity) } : {}),
    ...encodeImporting(importing),
  };
}

function encodeImporting(importing: Importing | undefined): Pick<PlainChange, "importing"> {
  if (!importing) return {};
  const { identity, ...rest } = importing;
  return { importing: identity ? { ...rest, identity: encodeValue(identity) } : rest };
}

function decodeImporting(plain: PlainChange["importing"]): Pick<InstanceChange, "importing"> {
  if (!plain) return {};
  const { identity, ...rest } = plain;
  return { importing: identity ? { ...rest, identity: decodeValue(identity) } : rest };
}

function decodeChange({ importing, beforeIdentity, afterIdentity, ...plain }: PlainChange): InstanceChange {
  return {
    ...plain,
    address: addressOf(plain.address),
    provider: providerOf(plain.provider),
    before: decodeValue(plain.before),
    after: decodeValue(plain.after),
    replacePaths: plain.replacePaths.map(decodePath),
    priorPrivate: textToBytes(plain.priorPrivate),
    plannedPrivate: textToBytes(plain.plannedPrivate),
    ...(beforeIdentity ? { beforeIdentity: decodeValue(beforeIdentity) } : {}),
    ...(afterIdentity ? { afterIdentity: decodeValue(afterIdentity) } : {}),
    ...decodeImporting(importing),
  };
}

/** A put-off change is written under an address without the wildcards that only its texts have. */
interface PlainDeferral extends Pick<Deferral, "reason" | "after"> {
  readonly change: PlainChange;
  readonly address: string;
  readonly module: string;
}

function encodeDeferral({ change, ...why }: Deferral): PlainDeferral {
  const { module, resource, key, text } = change.address;
  const plain = module.steps.reduce((parent, step) => childModule(parent, step.name, step.key), rootModule);
  const address = instanceAddress(plain, resource, key);
  return { ...why, change: encodeChange({ ...change, address }), address: text, module: module.text };
}

function decodeDeferral({ change: plain, address: text, module, ...why }: PlainDeferral): Deferral {
  const change = decodeChange(plain);
  const { address } = change;
  const shown = { ...address, text, module: { ...address.module, text: module } };
  return { ...why, change: { ...change, address: shown } };
}

function addressOf(text: string): InstanceAddress {
  const parsed = parseAddress(text);
  if (parsed?.kind !== "instance")
    throw new OperationalError(
      backendErrors.planUnreadable,
      `The plan holds an address that cannot be read: ${text}. Make a new plan.`,
    );
  return parsed.address;
}

function providerOf(text: string): ProviderConfigAddress {
  const address = parseProviderConfigAddress(text);
  if (!address)
    throw new OperationalError(
      backendErrors.planUnreadable,
      `The plan holds a provider that cannot be read: ${text}. Make a new plan.`,
    );
  return address;
}

type PlainOutput = Omit<OutputChange, "before" | "after"> & { readonly before: PlainValue; readonly after: PlainValue };

function encodeOutput(output: OutputChange): PlainOutput {
  return { ...output, before: encodeValue(output.before), after: encodeValue(output.after) };
}

function decodeOutput(output: PlainOutput): OutputChange {
  return { ...output, before: decodeValue(output.before), after: decodeValue(output.after) };
}

type PlainExpansion =
  | Exclude<Expansion, { readonly kind: "forEach" }>
  | { readonly kind: "forEach"; readonly values: readonly (readonly [string, PlainValue])[] };

function encodeExpansion(expansion: Expansion): PlainExpansion {
  if (expansion.kind !== "forEach") return expansion;
  return {
    kind: "forEach",
    values: [...expansion.values].map(([key, value]: readonly [string, Value]) => [key, encodeValue(value)] as const),
  };
}

function decodeExpansion(plain: PlainExpansion): Expansion {
  if (plain.kind !== "forEach") return plain;
  return { kind: "forEach", values: new Map(plain.values.map(([key, value]) => [key, decodeValue(value)] as const)) };
}
