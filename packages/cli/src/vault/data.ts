import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseJson } from "@millwright/clients/json";
import { messageOf } from "@millwright/core/errors";
import type { CommandIo } from "../io.ts";
import { LocalMistake } from "./command.ts";

/**
 * The data of a write, as Vault's command line takes it: `key=value`, `key=@file`, `key=-` (standard input as a text), `@file`
 * and `-` (a JSON object). A key given twice is a list. Throws {@link LocalMistake}.
 */
export async function dataOf(args: readonly string[], io: CommandIo): Promise<Record<string, unknown>> {
  const data: Record<string, unknown> = {};
  let stdinTaken = false;
  const stdin = async () => {
    if (stdinTaken) throw new LocalMistake("Standard input can be read once: only one argument may be or end in -.");
    stdinTaken = true;
    return readAll(io);
  };
  for (const arg of args) {
    if (arg === "-") Object.assign(data, jsonObject(await stdin(), "standard input"));
    else if (arg.startsWith("@")) Object.assign(data, jsonObject(await readFileAt(arg.slice(1), io), arg.slice(1)));
    else {
      const equals = arg.indexOf("=");
      if (equals < 1)
        throw new LocalMistake(
          `Failed to parse K=V data: ${JSON.stringify(arg)} has no value.\nWrite KEY=VALUE, KEY=@FILE, KEY=-, @FILE or -.`,
        );
      add(data, arg.slice(0, equals), await textOf(arg.slice(equals + 1), io, stdin));
    }
  }
  return data;
}

/** A text: itself, `@FILE` or `-`. Throws {@link LocalMistake}. */
export async function textOf(text: string, io: CommandIo, stdin = () => readAll(io)): Promise<string> {
  if (text === "-") return stdin();
  if (text.startsWith("@")) return readFileAt(text.slice(1), io);
  return text.startsWith("\\@") ? text.slice(1) : text;
}

/** All of standard input. */
export async function readAll(io: CommandIo): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of io.stdin) pieces.push(Buffer.from(piece as Uint8Array));
  return Buffer.concat(pieces).toString();
}

function add(data: Record<string, unknown>, key: string, value: string): void {
  const before = Object.hasOwn(data, key) ? data[key] : undefined;
  data[key] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
}

async function readFileAt(path: string, io: CommandIo): Promise<string> {
  try {
    return await readFile(resolve(io.cwd, path), "utf8");
  } catch (error) {
    throw new LocalMistake(`Cannot read ${path}: ${messageOf(error)}. Check the path.`, { cause: error });
  }
}

function jsonObject(text: string, from: string): object {
  try {
    const value = parseJson(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Said below, without the text: it may be secret.
  }
  throw new LocalMistake(`${from} holds no JSON object. Write one, such as {"key": "value"}.`);
}
