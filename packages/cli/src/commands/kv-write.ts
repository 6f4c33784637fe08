import { posix } from "node:path";
import { messageOf } from "@millwright/core/errors";
import type { FlagTable } from "../flags.ts";
import type { KvCommand } from "./kv-command.ts";
import { clientFlags, failureText, loadData, openClient } from "./kv-client.ts";
import { refuse, withoutSlash } from "./kv-read.ts";

const putFlags = {
  cas: {
    kind: "bool",
    help: "Write only where the key's index is that of -modify-index; 0 (the default) writes only a new key.",
  },
  "modify-index": { kind: "uint64", value: "INDEX", help: "The index that -cas compares." },
  flags: { kind: "uint64", value: "NUMBER", help: "A number of your own, kept with the key." },
  base64: { kind: "bool", help: "The data is in base 64." },
  session: { kind: "string", value: "ID", help: "The session for -acquire and -release." },
  acquire: { kind: "bool", help: "Take the key as a lock for the session." },
  release: { kind: "bool", help: "Give the lock back." },
  ...clientFlags,
} as const satisfies FlagTable;

/** `kv put`: writes a key. */
export const kvPut: KvCommand<typeof putFlags> = {
  usage: "put [flags] KEY [DATA]",
  about:
    "Writes a key. DATA is the value itself, @FILE for a file's content, or - for standard input; none writes an empty value.",
  examples: [
    "put config/redis/maxconns 5",
    "put license @license.lic",
    "put -cas -modify-index=123 config/redis/maxconns 10",
  ],
  flags: putFlags,
  run: async ({ values, args, io }) => {
    if (args.length === 0) return refuse(io, "Error! Missing KEY argument");
    if (args.length > 2) return refuse(io, `Error! Too many arguments (expected 1 or 2, got ${args.length})`);
    const [key = "", argument = ""] = args;
    // The server would take it, and then no prefix that people type would find it.
    if (key.startsWith("/"))
      return refuse(io, `Error! Failed writing data: Invalid key. Key must not begin with a '/': ${key}`);
    let data: Uint8Array;
    try {
      data = await loadData(argument, io);
      if (values.base64) data = decodeBase64(data);
    } catch (error) {
      return refuse(io, `Error! ${messageOf(error)}`);
    }
    const { cas, acquire, release, session = "" } = values;
    if ((acquire || release) && session === "") {
      return refuse(io, "Error! Missing -session (required with -acquire and -release)");
    }
    const index = Number(values["modify-index"] ?? 0n);
    const condition = cas ? { cas: index } : acquire ? { acquire: session } : release ? { release: session } : {};
    const client = openClient(values, io);
    try {
      const written = await client.kv.put(key, data, { flags: values.flags ?? 0n, ...condition, signal: io.signal });
      if (!written) return await refuse(io, refusedPut(key, values, index));
      await io.stdout(
        acquire && !cas
          ? `Success! Lock acquired on: ${key}\n`
          : release && !cas
            ? `Success! Lock released on: ${key}\n`
            : `Success! Data written to: ${key}\n`,
      );
      return 0;
    } catch (error) {
      return await refuse(
        io,
        cas
          ? `Error! Did not write to ${key}: ${failureText(error)}`
          : `Error! Failed writing data: ${failureText(error)}`,
      );
    } finally {
      await client.close();
    }
  },
};

const deleteFlags = {
  recurse: { kind: "bool", help: "Delete all keys that start with the given prefix." },
  cas: { kind: "bool", help: "Delete only where the key's index is that of -modify-index." },
  "modify-index": { kind: "uint64", value: "INDEX", help: "The index that -cas compares." },
  ...clientFlags,
} as const satisfies FlagTable;

/** `kv delete`: deletes a key or a tree. */
export const kvDelete: KvCommand<typeof deleteFlags> = {
  usage: "delete [flags] KEY_OR_PREFIX",
  about: "Deletes a key; with -recurse all keys that start with a prefix.",
  examples: ["delete config/redis/maxconns", "delete -recurse config/"],
  flags: deleteFlags,
  run: async ({ values, args, io }) => {
    if (args.length > 1) return refuse(io, `Too many arguments (expected 1, got ${args.length})`);
    const key = withoutSlash(args[0] ?? "");
    const { recurse, cas } = values;
    const index = Number(values["modify-index"] ?? 0n);
    if (key === "" && !recurse) return refuse(io, "Error! Missing KEY argument");
    if (cas && index === 0) {
      return refuse(io, "Cannot delete a key that does not exist. Provide a -modify-index greater than than 0.");
    }
    if (index !== 0 && !cas) return refuse(io, "Cannot specify -modify-index without -cas!");
    if (recurse && cas) return refuse(io, "Cannot specify both -cas and -recurse!");
    const client = openClient(values, io);
    try {
      if (recurse) {
        await client.kv.deleteTree(key, { signal: io.signal });
        await io.stdout(`Success! Deleted keys with prefix: ${key}\n`);
        return 0;
      }
      const gone = await client.kv.delete(key, { ...(cas ? { cas: index } : {}), signal: io.signal });
      if (!gone) return await refuse(io, `Error! Did not delete key ${key}: CAS failed`);
      await io.stdout(`Success! Deleted key: ${key}\n`);
      return 0;
    } catch (error) {
      const what = recurse
        ? `Error! Did not delete prefix ${key}`
        : cas
          ? `Error! Did not delete key ${key}`
          : `Error deleting key ${key}`;
      return await refuse(io, `${what}: ${failureText(error)}`);
    } finally {
      await client.close();
    }
  },
};

const importFlags = {
  prefix: { kind: "string", value: "PREFIX", help: "Put this in front of every key." },
  ...clientFlags,
} as const satisfies FlagTable;

/** `kv import`: writes what `kv export` wrote. */
export const kvImport: KvCommand<typeof importFlags> = {
  usage: "import [flags] DATA",
  about: "Writes keys from the JSON of `kv export`. DATA is @FILE, - for standard input, or the JSON itself.",
  examples: ["import @config.json", "import -prefix=copy/ - < config.json"],
  flags: importFlags,
  run: async ({ values, args, io }) => {
    if (args.length === 0) return refuse(io, "Error! Missing DATA argument");
    if (args.length > 1) return refuse(io, `Error! Too many arguments (expected 1, got ${args.length})`);
    if (args[0] === "") return refuse(io, "Error! Empty DATA argument");
    let entries: readonly ExportedEntry[];
    try {
      entries = parseExport(Buffer.from(await loadData(args[0]!, io)).toString());
    } catch (error) {
      const said = messageOf(error);
      return refuse(io, said.startsWith("Failed") ? `Error! ${said}` : `Cannot unmarshal data: ${said}`);
    }
    const client = openClient(values, io);
    try {
      for (const { key, flags, value } of entries) {
        const target = importedKey(values.prefix ?? "", key);
        try {
          await client.kv.put(target, value, { flags, signal: io.signal });
        } catch (error) {
          return await refuse(io, `Error! Failed writing data for key ${target}: ${failureText(error)}`);
        }
        await io.stdout(`Imported: ${target}\n`);
      }
      return 0;
    } finally {
      await client.close();
    }
  },
};

function refusedPut(key: string, values: { readonly cas: boolean; readonly acquire: boolean }, index: number): string {
  if (values.cas && index === 0)
    return `Error! Did not write to ${key}: CAS performed with index=0 and key already exists.`;
  if (values.cas) return `Error! Did not write to ${key}: CAS failed`;
  return values.acquire ? "Error! Did not acquire lock" : "Error! Did not release lock";
}

function decodeBase64(data: Uint8Array): Uint8Array {
  const text = Buffer.from(data)
    .toString()
    .replace(/[\r\n]/g, "");
  if (/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return Buffer.from(text, "base64");
  throw new Error("Cannot base 64 decode data: it has characters or a length that base 64 has not");
}

interface ExportedEntry {
  readonly key: string;
  readonly flags: bigint;
  readonly value: Uint8Array;
}

function parseExport(text: string): readonly ExportedEntry[] {
  const list: unknown = JSON.parse(text, keepLargeNumbers);
  if (!Array.isArray(list)) throw new Error("expected a list of entries");
  return list.map((wire, i) => {
    const { key, flags = 0, value = "" } = (wire ?? {}) as Record<string, unknown>;
    const isNumber =
      typeof flags === "bigint" || (typeof flags === "number" && Number.isSafeInteger(flags) && flags >= 0);
    if (typeof key !== "string" || typeof value !== "string" || !isNumber) {
      throw new Error(`entry ${i} needs a "key", a "value" in base 64 and a number as "flags"`);
    }
    return { key, flags: BigInt(flags), value: decodeBase64(Buffer.from(value)) };
  });
}

function keepLargeNumbers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? "";
  return /^\d+$/.test(source) ? BigInt(source) : value;
}

// Joined as paths are, which takes out double slashes and keeps one at the end.
function importedKey(prefix: string, key: string): string {
  const joined = posix.join(prefix, key).replace(/\/$/, "");
  return key.endsWith("/") ? `${joined}/` : joined;
}
