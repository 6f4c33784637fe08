import type { KvEntry } from "@millwright/clients/consul-kv";
import type { FlagTable } from "../flags.ts";
import type { KvCommand } from "./kv-command.ts";
import { clientFlags, failureText, openClient } from "./kv-client.ts";

const getFlags = {
  recurse: { kind: "bool", help: "Show all keys that start with the given prefix." },
  keys: { kind: "bool", help: "Show the names of keys that start with the given prefix, without their values." },
  separator: { kind: "string", value: "TEXT", help: 'With -keys: cut each name behind this text; "/" by default.' },
  detailed: { kind: "bool", help: "Show what is kept with the key: indexes, flags and session." },
  base64: { kind: "bool", help: "Show values in base 64." },
  ...clientFlags,
} as const satisfies FlagTable;

/** `kv get`: one key, a tree or names. */
export const kvGet: KvCommand<typeof getFlags> = {
  usage: "get [flags] [KEY_OR_PREFIX]",
  about: "Shows the value of a key, or what there is under a prefix.",
  examples: ["get config/redis/maxconns", "get -recurse config/", "get -keys -separator=/ config/"],
  flags: getFlags,
  run: async ({ values, args, io }) => {
    if (args.length > 1) return refuse(io, `Too many arguments (expected 1, got ${args.length})`);
    const key = withoutSlash(args[0] ?? "");
    const { recurse, keys, detailed, base64 } = values;
    if (key === "" && !recurse && !keys) return refuse(io, "Error! Missing KEY argument");
    const client = openClient(values, io);
    const options = { signal: io.signal, ...(values.stale ? { consistency: "stale" as const } : {}) };
    try {
      if (keys && !recurse) {
        const { value } = await client.kv.keys(key, { ...options, separator: values.separator ?? "/" });
        await io.stdout(value.map((name) => `${name}\n`).join(""));
        return 0;
      }
      if (recurse) {
        const { value } = await client.kv.list(key, options);
        await io.stdout(
          joined(
            value.map((entry) => listedEntry(entry, { keys, detailed, base64 })),
            detailed,
          ),
        );
        return 0;
      }
      const { value } = await client.kv.get(key, options);
      if (!value) return refuse(io, `Error! No key exists at: ${key}`);
      await io.stdout(
        Buffer.concat([detailed ? detailedEntry(value, base64, true) : shownValue(value, base64), lineEnd]),
      );
      return 0;
    } catch (error) {
      return refuse(io, `Error querying Consul agent: ${failureText(error)}`);
    } finally {
      await client.close();
    }
  },
};

const listFlags = {
  separator: { kind: "string", value: "TEXT", help: "Cut each name behind this text, so that a tree is one line." },
  ...clientFlags,
} as const satisfies FlagTable;

/** `kv list`: the names under a prefix. */
export const kvList: KvCommand<typeof listFlags> = {
  usage: "list [flags] [PREFIX]",
  about: "Shows the names of all keys that start with a prefix.",
  examples: ["list", "list config/", "list -separator=/ config/"],
  flags: listFlags,
  run: async ({ values, args, io }) => {
    if (args.length > 1) return refuse(io, `Too many arguments (expected 1, got ${args.length})`);
    const client = openClient(values, io);
    try {
      const { separator = "" } = values;
      const { value } = await client.kv.keys(withoutSlash(args[0] ?? ""), { signal: io.signal, separator });
      await io.stdout(value.map((name) => `${name}\n`).join(""));
      return 0;
    } catch (error) {
      return refuse(io, `Error querying Consul agent: ${failureText(error)}`);
    } finally {
      await client.close();
    }
  },
};

/** `kv export`: a tree as JSON that `kv import` reads. */
export const kvExport: KvCommand<typeof clientFlags> = {
  usage: "export [flags] [PREFIX]",
  about: "Writes what is under a prefix as JSON, for `kv import`.",
  examples: ["export config/ > config.json"],
  flags: clientFlags,
  run: async ({ values, args, io }) => {
    if (args.length > 1) return refuse(io, `Too many arguments (expected 1, got ${args.length})`);
    const client = openClient(values, io);
    try {
      const options = { signal: io.signal, ...(values.stale ? { consistency: "stale" as const } : {}) };
      const { value } = await client.kv.list(withoutSlash(args[0] ?? ""), options);
      await io.stdout(value.length === 0 ? "[]\n" : `[\n${value.map(exportedEntry).join(",\n")}\n]\n`);
      return 0;
    } catch (error) {
      return refuse(io, `Error querying Consul agent: ${failureText(error)}`);
    } finally {
      await client.close();
    }
  },
};

/** Keys do not start with a slash, and people write one. */
export function withoutSlash(key: string): string {
  return key.startsWith("/") ? key.slice(1) : key;
}

/** Says why on the error output; the exit code is 1. */
export async function refuse(io: { stderr(text: string): Promise<void> }, text: string): Promise<number> {
  await io.stderr(`${text}\n`);
  return 1;
}

const lineEnd = Buffer.from("\n");

interface ListStyle {
  readonly keys: boolean;
  readonly detailed: boolean;
  readonly base64: boolean;
}

function listedEntry(entry: KvEntry, { keys, detailed, base64 }: ListStyle): Uint8Array {
  if (detailed) return detailedEntry(entry, base64, !keys);
  if (keys) return Buffer.from(entry.key);
  return Buffer.concat([Buffer.from(`${entry.key}:`), shownValue(entry, base64)]);
}

function joined(entries: readonly Uint8Array[], detailed: boolean): Uint8Array {
  const pieces = entries.flatMap((entry, i) => (detailed && i > 0 ? [lineEnd, entry, lineEnd] : [entry, lineEnd]));
  return Buffer.concat(pieces);
}

// One field a line, values six columns behind the longest name; the last line has no end, as the caller adds it.
function detailedEntry(entry: KvEntry, base64: boolean, withValue: boolean): Uint8Array {
  const fields = [
    ["CreateIndex", entry.createIndex],
    ["Flags", entry.flags],
    ["Key", entry.key],
    ["LockIndex", entry.lockIndex],
    ["ModifyIndex", entry.modifyIndex],
    ["Session", entry.session ?? "-"],
  ] as const;
  const lines = fields.map(([name, value]) => `${name.padEnd(17)}${value}\n`).join("");
  if (!withValue) return Buffer.from(lines);
  return Buffer.concat([Buffer.from(`${lines}${"Value".padEnd(17)}`), shownValue(entry, base64)]);
}

function shownValue(entry: KvEntry, base64: boolean): Uint8Array {
  return base64 ? Buffer.from(Buffer.from(entry.value).toString("base64")) : entry.value;
}

function exportedEntry({ key, flags, value }: KvEntry): string {
  const base64 = Buffer.from(value).toString("base64");
  return `\t{\n\t\t"key": ${goString(key)},\n\t\t"flags": ${flags},\n\t\t"value": "${base64}"\n\t}`;
}

// As Go writes it: safe within HTML too.
function goString(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
