import type { Clock } from "@millwright/core/ports";
import type { BlockSchema } from "@millwright/provider/schema";
import type { Value } from "@millwright/value/value";

/** A kind of work that is done on this machine or another once an object was made, or before it goes. */
export interface Provisioner {
  readonly schema: BlockSchema;
  /** Whether it works on another machine, and so has to be told how to reach that. */
  readonly connects: boolean;
  /** What is wrong with a configuration, in a sentence each; it may hold unknowns. */
  validate(config: Value): readonly string[];
  /** Does it. Rejects with an operational error of {@link provisionerErrors}, whose message says what went wrong. */
  run(call: ProvisionerCall): Promise<void>;
}

/** Values are wholly known and carry no marks. */
export interface ProvisionerCall {
  readonly config: Value;
  /** An object of the connection's schema; undefined where none was written. */
  readonly connection?: Value;
  /** The folder that the command was typed in. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Told each line that is to be shown, without its end. */
  readonly output: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Provisioners by the word that stands behind `provisioner`. */
export interface Provisioners {
  readonly names: readonly string[];
  /** Undefined where there is none of that name. */
  find(name: string): Promise<Provisioner | undefined>;
}
