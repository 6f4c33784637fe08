import { NomadClient } from "@millwright/clients/nomad";
import { type Clock, systemClock } from "@millwright/core/ports";
import type { Environment, Settings } from "./settings.ts";
import { addressSource, connectionConfig } from "./settings.ts";

/** What the nomad resources work with. */
export class NomadConnection {
  readonly client: NomadClient;
  /** Where the address was said, as a sentence for whoever cannot reach it. */
  readonly addressSource: string;
  readonly clock: Clock;

  /** Throws `badConfiguration` where the address or certificates cannot be used. */
  constructor(settings: Settings, env: Environment, clock: Clock = systemClock) {
    this.client = new NomadClient(connectionConfig(settings, env), { clock });
    this.addressSource = addressSource(settings, env);
    this.clock = clock;
  }

  close(): Promise<void> {
    return this.client.close();
  }
}
