import { createReadStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { ConsulClient } from "@millwright/clients/consul";
import { describeFlags, parseFlags } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { clientFlags, failureText, openClient } from "./kv-client.ts";
import { interruptedCode } from "./interrupted.ts";

const usage = `Usage: consul snapshot save|restore [flags] FILE

  Saves everything that a server keeps to a file, or puts a file's content in
  place of it.

      $ consul snapshot save backup.snap
      $ consul snapshot restore backup.snap

Flags:

`;

/** Carries out `consul snapshot …`; resolves to the exit code. */
export async function runSnapshot(args: readonly string[], io: CommandIo): Promise<number> {
  const [action, ...rest] = args;
  const parsed = parseFlags(clientFlags, rest, "flags-first");
  const wantsHelp = parsed.kind === "help" || action === "-h" || action === "-help" || action === "--help";
  if (wantsHelp || (action !== "save" && action !== "restore")) {
    const text = usage + describeFlags(clientFlags);
    await (wantsHelp ? io.stdout(text) : io.stderr(text));
    return wantsHelp ? 0 : 1;
  }
  if (parsed.kind === "mistake") return refuse(io, `${parsed.diagnostic.summary}\n${parsed.diagnostic.detail}`);
  const [file] = parsed.args;
  if (file === undefined) return refuse(io, "Missing FILE argument");
  if (parsed.args.length > 1) return refuse(io, `Too many arguments (expected 1, got ${parsed.args.length})`);
  let client: ConsulClient | undefined;
  try {
    client = openClient(parsed.values, io);
    const path = resolve(io.cwd, file);
    return action === "save" ? await save(client, path, io) : await restore(client, path, io);
  } catch (error) {
    if (io.signal.aborted) return interruptedCode(io);
    const what = action === "save" ? "Error saving snapshot" : "Error restoring snapshot";
    return refuse(io, `${what}: ${error instanceof OperationalError ? failureText(error) : messageOf(error)}`);
  } finally {
    await client?.close();
  }
}

// Written beside its place first: a file of that name is a whole archive, or is not there.
async function save(client: ConsulClient, path: string, io: CommandIo): Promise<number> {
  const { value, index } = await client.saveSnapshot({ signal: io.signal });
  const unverified = `${path}.unverified`;
  try {
    const handle = await open(unverified, "w", 0o600);
    try {
      for await (const piece of value) await handle.writeFile(piece);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await verify(unverified);
    await rename(unverified, path);
  } catch (error) {
    await rm(unverified, { force: true });
    throw error;
  }
  await io.stdout(`Saved and verified snapshot to index ${index}\n`);
  return 0;
}

// An archive is gzip, here and at Consul: its checksum tells whether all of it came.
function verify(path: string): Promise<void> {
  const discard = new Writable({ write: (_chunk, _encoding, done) => done() });
  return pipeline(createReadStream(path), createGunzip(), discard);
}

async function restore(client: ConsulClient, path: string, io: CommandIo): Promise<number> {
  await stat(path);
  await client.restoreSnapshot(createReadStream(path), { signal: io.signal });
  await io.stdout("Restored snapshot\n");
  return 0;
}

async function refuse(io: CommandIo, text: string): Promise<number> {
  await io.stderr(`${text}\n`);
  return 1;
}
