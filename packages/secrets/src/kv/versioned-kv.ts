import type { Engine, EngineContext, EngineReply, EngineRequest } from "../engine.ts";
import { isObject } from "../objects.ts";
import { refusal, unknownFieldWarnings, unsupported } from "../replies.ts";
import { fieldsOf } from "../request-fields.ts";
import type { SecretHistory, SecretSettings } from "./history.ts";
import { mergePatch, withDeleted, withDestroyed, withUndeleted } from "./history.ts";
import { configData, metadataData, readSettings, settingNames, subkeysOf, versionData } from "./kv-wire.ts";
import { folderOf, pathFault } from "./secret-path.ts";
import { tooLarge } from "./secret-size.ts";
import type { Keep } from "./version-store.ts";
import { VersionStore } from "./version-store.ts";

/** Kv version 2: each write of a path is a version more, and older ones can be read, deleted, and brought back. */
export function openVersionedKv(context: EngineContext): Engine {
  const kv: Kv = { store: new VersionStore(context.storage, context.clock), now: () => context.clock.now() };
  return {
    exists: async ({ path }) => {
      const { head, rest } = partsOf(path);
      if (head !== "data" && head !== "metadata") return true;
      return pathFault(rest) === undefined && (await kv.store.history(rest)) !== undefined;
    },
    handle: async (request) => {
      const { head, rest } = partsOf(request.path);
      const branch = branches.get(head);
      if (!branch) return wrongPath;
      if (head === "config") return rest === "" ? branch(kv, request, rest) : wrongPath;
      const fault = request.operation === "list" ? undefined : pathFault(rest);
      return fault === undefined ? branch(kv, request, rest) : refusal(400, fault);
    },
  };
}

interface Kv {
  readonly store: VersionStore;
  now(): number;
}

type Branch = (kv: Kv, request: EngineRequest, path: string) => Promise<EngineReply>;

const branches: ReadonlyMap<string, Branch> = new Map([
  ["config", atConfig],
  ["data", atData],
  ["metadata", atMetadata],
  ["subkeys", atSubkeys],
  ["delete", changing(withDeleted)],
  ["undelete", changing(withUndeleted)],
  ["destroy", changing(withDestroyed)],
]);

const missing: EngineReply = { kind: "missing" };
const done: EngineReply = { kind: "done" };

const wrongPath = refusal(
  404,
  "Invalid path for a versioned K/V secrets engine: below the mount it begins with data/, metadata/, delete/, undelete/, " +
    "destroy/, subkeys/ or is config. On a command line, use kv get, kv put and so on, which add it.",
);

async function atConfig({ store }: Kv, { operation, data }: EngineRequest): Promise<EngineReply> {
  if (operation === "read") return { kind: "data", data: configData(await store.settings()) };
  if (operation !== "update" && operation !== "create") return unsupported;
  const fields = fieldsOf(data);
  const change = readSettings(fields);
  await store.changeSettings(change);
  return { kind: "done", warnings: unknownFieldWarnings(data, settingNames) };
}

async function atData(kv: Kv, { operation, data }: EngineRequest, path: string): Promise<EngineReply> {
  switch (operation) {
    case "read":
      return readVersion(kv, path, data);
    case "create":
    case "update":
      return writeVersion(kv, path, data, (_, given) => given);
    case "patch":
      return writeVersion(kv, path, data, mergePatch);
    case "delete":
      await kv.store.change(path, (history) => withDeleted(history, [history.current], kv.now()));
      return done;
    case "list":
      return unsupported;
  }
}

async function readVersion(kv: Kv, path: string, query: EngineRequest["data"]): Promise<EngineReply> {
  const fields = fieldsOf(query);
  const wanted = fields.integer("version") ?? 0;
  const found = await kv.store.read(path, wanted, kv.now());
  if (!found) return missing;
  const { history, number, held } = found;
  const data = { data: held ?? null, metadata: versionData(history, number) };
  return held === undefined ? { kind: "missing", data } : { kind: "data", data };
}

async function writeVersion(
  kv: Kv,
  path: string,
  body: EngineRequest["data"],
  combine: (before: unknown, given: unknown) => unknown,
): Promise<EngineReply> {
  const isPatch = combine === mergePatch;
  const fields = fieldsOf(body);
  const given = fields.map("data");
  const options = fieldsOf(fields.map("options") ?? {});
  const cas = options.integer("cas");
  if (!given) return refusal(400, "no data provided: what is to be kept belongs into the field data");
  const engine = await kv.store.settings();
  const keep: Keep = (history, held): ReturnType<Keep> => {
    if (isPatch && (!history || held === undefined)) return { refused: goneReply(history) };
    const fault = casFault(history, cas, engine);
    if (fault !== undefined) return { refused: refusal(400, fault) };
    const kept = combine(held, given);
    return isObject(kept) ? { kept } : { refused: refusal(400, "data must be an object") };
  };
  const outcome = await kv.store.addVersion(path, engine, isPatch ? "read-before" : "blind", keep);
  switch (outcome.kind) {
    case "refused":
      return outcome.reply;
    case "too-large":
      return tooLarge(outcome.bytes);
    case "written":
      return { kind: "data", data: versionData(outcome.history, outcome.history.current) };
  }
}

function goneReply(history: SecretHistory | undefined): EngineReply {
  if (!history || history.versions[history.current] === undefined) return missing;
  return { kind: "missing", data: { data: null, metadata: versionData(history, history.current) } };
}

function casFault(
  history: SecretHistory | undefined,
  cas: number | undefined,
  engine: SecretSettings,
): string | undefined {
  const current = history?.current ?? 0;
  if (cas === undefined) {
    return engine.casRequired || history?.settings.casRequired === true
      ? "check-and-set parameter required for this call: give options.cas, the version that the write follows (0 for none)"
      : undefined;
  }
  return cas === current
    ? undefined
    : `check-and-set parameter did not match the current version: it is ${current}, and options.cas was ${cas}`;
}

async function atMetadata(kv: Kv, request: EngineRequest, path: string): Promise<EngineReply> {
  const { store } = kv;
  switch (request.operation) {
    case "list": {
      const keys = await store.list(folderOf(path));
      return keys.length === 0 ? missing : { kind: "data", data: { keys } };
    }
    case "read": {
      const history = await store.history(path);
      return history ? { kind: "data", data: metadataData(history) } : missing;
    }
    case "delete":
      await store.remove(path);
      return done;
    case "create":
    case "update":
    case "patch":
      return writeMetadata(kv, path, request);
  }
}

async function writeMetadata({ store }: Kv, path: string, { operation, data }: EngineRequest): Promise<EngineReply> {
  const isPatch = operation === "patch";
  const fields = fieldsOf(data);
  const change = readSettings(fields);
  const given = fields.map("custom_metadata");
  if (isPatch && !(await store.history(path))) return missing;
  let fault: string | undefined;
  await store.changeOrMake(path, (history) => {
    const before = history.settings;
    const custom = given === undefined ? before.custom : isPatch ? mergePatch(before.custom ?? {}, given) : given;
    fault = customFault(custom);
    if (fault !== undefined || !isTexts(custom)) return history;
    return { ...history, settings: { ...before, ...change, ...(custom && { custom }) } };
  });
  return fault === undefined
    ? { kind: "done", warnings: unknownFieldWarnings(data, [...settingNames, "custom_metadata"]) }
    : refusal(400, fault);
}

function customFault(custom: unknown): string | undefined {
  if (!isTexts(custom)) return "custom_metadata must be an object of texts.";
  const entries = Object.entries(custom ?? {});
  if (entries.length > 64) return `custom_metadata has ${entries.length} keys, and at most 64 are kept.`;
  const long = entries.find(([key, value]) => Buffer.byteLength(key) > 128 || Buffer.byteLength(value) > 512);
  return long
    ? `custom_metadata has keys up to 128 bytes and texts up to 512; ${JSON.stringify(long[0])} is longer.`
    : undefined;
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> | undefined {
  return value === undefined || (isObject(value) && Object.values(value).every((part) => typeof part === "string"));
}

async function atSubkeys(kv: Kv, { operation, data }: EngineRequest, path: string): Promise<EngineReply> {
  if (operation !== "read") return unsupported;
  const fields = fieldsOf(data);
  const wanted = fields.integer("version") ?? 0;
  const depth = fields.integer("depth") ?? 0;
  const found = await kv.store.read(path, wanted, kv.now());
  if (!found) return missing;
  const { history, number, held } = found;
  const metadata = versionData(history, number);
  if (held === undefined) return { kind: "missing", data: { subkeys: null, metadata } };
  return { kind: "data", data: { subkeys: subkeysOf(held, depth > 0 ? depth : Number.POSITIVE_INFINITY), metadata } };
}

function changing(change: typeof withDeleted): Branch {
  return async (kv, { operation, data }, path) => {
    if (operation !== "update" && operation !== "create") return unsupported;
    const fields = fieldsOf(data);
    const numbers = (fields.texts("versions") ?? []).map(Number);
    if (!numbers.every((number) => Number.isSafeInteger(number) && number >= 0))
      return refusal(400, "versions: a list of whole numbers is expected");
    if (numbers.length === 0) return refusal(400, "No version number provided: name them in the field versions");
    await kv.store.change(path, (history) => change(history, numbers, kv.now()));
    return done;
  };
}

function partsOf(path: string): { readonly head: string; readonly rest: string } {
  const slash = path.indexOf("/");
  return slash < 0 ? { head: path, rest: "" } : { head: path.slice(0, slash), rest: path.slice(slash + 1) };
}
