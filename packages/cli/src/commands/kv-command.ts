import type { FlagTable, FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";

/** One command under `kv`. */
export interface KvCommand<T extends FlagTable> {
  /** Without the program's name: `get [flags] KEY`. */
  readonly usage: string;
  readonly about: string;
  readonly examples: readonly string[];
  readonly flags: T;
  /** Resolves to the exit code. */
  run(given: {
    readonly values: FlagValues<T>;
    readonly args: readonly string[];
    readonly io: CommandIo;
  }): Promise<number>;
}
