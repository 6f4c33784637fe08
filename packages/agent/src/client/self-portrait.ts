import type { NodeRegistration } from "@millwright/clients/nomad-node-protocol";
import type { Clock } from "@millwright/core/ports";
import type { NodeFacts } from "../allocation/host.ts";
import type { TaskDriver } from "../driver/driver.ts";
import { type FingerprintOptions, fingerprint, type NodeFingerprint } from "../fingerprint/fingerprint.ts";
import { factsOf, type NodeSelf, refreshed, registrationOf } from "./description.ts";
import type { ClientSettings } from "./settings.ts";

export interface PortraitOptions {
  readonly settings: ClientSettings;
  readonly self: NodeSelf;
  readonly dataFolder: string;
  readonly drivers: readonly TaskDriver[];
  readonly vault: { version(signal: AbortSignal): Promise<string | undefined> } | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What a node says of itself: who it is, what its machine has, and how its drivers are, looked at again from time to time. */
export class SelfPortrait {
  readonly #options: PortraitOptions;
  #found: NodeFingerprint;
  #registration: NodeRegistration;
  #reached = { httpAddress: "", key: "" };
  #region: string;

  private constructor(options: PortraitOptions, found: NodeFingerprint) {
    this.#options = options;
    this.#found = found;
    this.#region = options.settings.region ?? "global";
    this.#registration = this.#drawn();
  }

  static async take(options: PortraitOptions): Promise<SelfPortrait> {
    return new SelfPortrait(options, await look(options));
  }

  get registration(): NodeRegistration {
    return this.#registration;
  }

  /** For tasks. */
  get facts(): NodeFacts {
    return factsOf(this.#registration, () => this.#region);
  }

  /** Where servers ask the node, and what they show it. */
  reachedAt(reached: { readonly httpAddress: string; readonly key: string }): void {
    this.#reached = reached;
    this.#registration = this.#drawn();
  }

  /** The region of the servers that have taken the node in. */
  setRegion(region: string): void {
    if (region !== "") this.#region = region;
  }

  /** Looks at the machine again and again until the abort; calls back after each look. */
  async follow(looked: () => void, signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#options.clock.sleep(pause, signal).catch(() => undefined);
      if (signal.aborted) return;
      this.#found = refreshed(this.#found, await look(this.#options));
      this.#registration = this.#drawn();
      looked();
    }
  }

  #drawn(): NodeRegistration {
    const { self, settings } = this.#options;
    return registrationOf(self, settings, this.#found, this.#reached);
  }
}

/** Milliseconds between two looks at the machine's drivers. */
const pause = 30_000;
const secretsMilliseconds = 2_000;

async function look(options: PortraitOptions): Promise<NodeFingerprint> {
  const { settings, self, dataFolder, drivers, vault, signal } = options;
  const { told, reserved, dynamicPorts } = settings;
  const version = await vault?.version(AbortSignal.any([signal, AbortSignal.timeout(secretsMilliseconds)]));
  const asked: FingerprintOptions = {
    ...{ drivers, dataFolder, address: self.address, version: self.version },
    discovery: { version: self.discoveryVersion, datacenter: self.datacenter, nodeName: self.name },
    ...(version === undefined ? {} : { secrets: { version } }),
    ...(told ? { told } : {}),
    ...(reserved ? { reserved } : {}),
    ...(dynamicPorts ? { dynamicPorts } : {}),
  };
  return fingerprint(asked);
}
