import type { Clock } from "@millwright/core/ports";
import type { StateStorage } from "@millwright/engine/backend/storage";
import type { BlockSchema } from "@millwright/provider/schema";
import type { Settings } from "./settings.ts";

/** One kind of backend: what its block may say, and how it is opened. */
export interface BackendType {
  readonly name: string;
  /** The attributes that Terraform's backend of that name has, so that folders initialised by either are the same. */
  readonly schema: BlockSchema;
  /** Environment variables that stand in for attributes that are not set, strongest first. */
  readonly environment: Readonly<Record<string, readonly string[]>>;
  /** What is wrong with a configuration, each a sentence; nothing is reached for it. */
  check(settings: Settings): readonly string[];
  open(settings: Settings, ports: BackendPorts): Promise<StateStorage>;
}

export interface BackendPorts {
  /** Relative paths are from here; absolute. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}
