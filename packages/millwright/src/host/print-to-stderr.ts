import { Console } from "node:console";

/** From now on what code prints with `console` goes to standard error, as others read standard output. */
export function printToStderr(): void {
  globalThis.console = new Console(process.stderr, process.stderr);
}
