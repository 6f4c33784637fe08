import type { Writable } from "node:stream";
import type { CommandIo } from "./io.ts";

/** The real process as a command sees it. The first interrupt aborts the signal; a second one ends the process. */
export function processIo(): CommandIo {
  const interrupt = new AbortController();
  let interrupts = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    interrupts++;
    if (interrupts === 1) interrupt.abort(signal);
    else process.exit(130);
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  // A write that fails is told to who wrote; without a listener the stream would end the process as well.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  const isTerminal = process.stdout.isTTY === true;
  return {
    stdin: process.stdin,
    stdout: (text) => writeTo(process.stdout, text),
    stderr: (text) => writeTo(process.stderr, text),
    env: process.env,
    cwd: process.cwd(),
    isTerminal,
    signal: interrupt.signal,
    view: {
      width: Math.max(40, process.stdout.columns ?? 80),
      colour: isTerminal && mayColour(process.env),
    },
  };
}

/** Whether a terminal may be written to in colours. Source: no-color.org. */
export function mayColour(env: Readonly<Record<string, string | undefined>>): boolean {
  return !env.NO_COLOR && env.TERM !== "dumb";
}

// A reader that has gone (`millwright show | head`) is no error: there is nobody left to write to.
function writeTo(stream: Writable, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (!error || (error as NodeJS.ErrnoException).code === "EPIPE") resolve();
      else reject(error);
    });
  });
}
