import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { GateSurroundings } from "@millwright/gates/make-gates";
import type { Projection } from "@millwright/records/projection";
import type { Store } from "@millwright/store/contract";
import type { OrchestratorState } from "./state.ts";

/** What everything in the jobs server works with. */
export interface OrchestratorContext {
  readonly store: Store;
  readonly projection: Projection<OrchestratorState>;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
  readonly identity: ServerIdentity;
  /** Where the gates of deployments are asked from. */
  readonly gates: GateSurroundings;
}

/** What this server says of itself. */
export interface ServerIdentity {
  /** `global` where nobody says otherwise. */
  readonly region: string;
  readonly datacenter: string;
  readonly name: string;
  /** Under which others reach it: an IP address, and the port of this API. */
  readonly address: string;
  readonly port: number;
  /** Of this program. */
  readonly version: string;
}
