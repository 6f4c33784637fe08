import { appendFileSync, writeSync } from "node:fs";
import type { Diagnosed } from "@millwright/core/diagnostics";
import type { DefinedProvider } from "@millwright/provider/define";
import { systemChance, systemClock } from "@millwright/core/ports";
import { type Load, serveReattached, servePlugin, type ServeProcess } from "@millwright/plugin/serve";
import { exportedProvider } from "./exported-provider.ts";
import { printToStderr } from "./print-to-stderr.ts";
import { sourceOf } from "./provider-source.ts";

/** How a provider's program is run: by a host that started it, or beside hosts that are told where it is. */
export type ServeMode = { readonly kind: "hosted" } | { readonly kind: "debug"; readonly source: string };

/**
 * Serves a provider as this process, until its host asks it to end or is gone; gives the exit code. What the provider prints goes
 * to standard error, as the host reads standard output.
 */
export async function serveAsProcess(load: Load, mode: ServeMode): Promise<number> {
  printToStderr();
  const end = new AbortController();
  // ^C in a terminal reaches this program too: its host says what is to come of it.
  process.removeAllListeners("SIGINT").on("SIGINT", () => mode.kind === "debug" && end.abort());
  process.removeAllListeners("SIGTERM").on("SIGTERM", () => end.abort());
  const parent = process.ppid;
  const watch = setInterval(() => process.ppid !== parent && end.abort(), parentMilliseconds);
  const around: ServeProcess = {
    env: process.env,
    stdout: (text) => void writeSync(1, text),
    stderr: (text) => void process.stderr.write(text),
    clock: systemClock,
    chance: systemChance,
    end: end.signal,
    ...requestLog(process.env.MILLWRIGHT_REQUEST_LOG),
  };
  try {
    return mode.kind === "hosted"
      ? await servePlugin(load, around)
      : await serveReattached(load, { source: mode.source, pid: process.pid }, around);
  } finally {
    clearInterval(watch);
  }
}

const parentMilliseconds = 1_000;

/** Writes what hosts ask into a file, a JSON object a line: `{ "call": "planResourceChange", "request": "0a05…" }`. */
function requestLog(path: string | undefined): Pick<ServeProcess, "onRequest"> {
  if (!path) return {};
  return {
    onRequest: (call, bytes) =>
      appendFileSync(path, `${JSON.stringify({ call, request: Buffer.from(bytes).toString("hex") })}\n`, {
        mode: 0o600,
      }),
  };
}

/** The main function of a program that {@link bundleProgram} made; `exports` loads the user's file. */
export async function runProgram(exports: () => Promise<object>): Promise<never> {
  printToStderr();
  const load = async () => exportedProvider(await exports(), "The program");
  const isDebug = process.argv.slice(2).some((argument) => /^--?debug$/.test(argument));
  process.exit(await serveAsProcess(load, isDebug ? await debugMode(load) : { kind: "hosted" }));
}

async function debugMode(load: () => Promise<Diagnosed<DefinedProvider | undefined>>): Promise<ServeMode> {
  const { value } = await load();
  return value ? { kind: "debug", source: sourceOf(value) } : { kind: "hosted" };
}
