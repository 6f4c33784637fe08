import { isKind, OperationalError } from "@millwright/core/errors";
import { ConsulClient } from "@millwright/clients/consul";
import type { CallOptions } from "@millwright/clients/consul-api";
import type { ConsulConfig } from "@millwright/clients/consul-config";
import { clientErrors } from "@millwright/clients/errors";

/** Where a resource's keys are, and by what right; null where the provider's configuration holds. */
export interface Whereabouts {
  readonly datacenter: string | null | undefined;
  readonly namespace: string | null;
  readonly partition: string | null;
  readonly token: string | null;
}

/** What the consul resources work with: one client for all of them, and the datacenter that they are in. */
export class ConsulConnection {
  readonly client: ConsulClient;
  /** Where the address was said, as a sentence for whoever cannot reach it. */
  readonly addressSource: string;
  readonly #configured: string | undefined;
  #asked: Promise<string> | undefined;

  constructor(config: ConsulConfig, addressSource: string) {
    this.client = new ConsulClient(config);
    this.addressSource = addressSource;
    this.#configured = config.datacenter;
  }

  /** What to send with each call for a resource. `datacenter` is there even when nobody named it: it is the agent's own. */
  async optionsFor(resource: Whereabouts, signal: AbortSignal): Promise<CallOptions & { readonly datacenter: string }> {
    const { token, namespace, partition } = resource;
    return {
      datacenter: resource.datacenter || this.#configured || (await this.#agentDatacenter()),
      signal,
      ...(token ? { token } : {}),
      ...(namespace ? { namespace } : {}),
      ...(partition ? { partition } : {}),
    };
  }

  close(): Promise<void> {
    return this.client.close();
  }

  /** Asked once. A token may well read keys and not the agent's configuration: then the server decides. */
  #agentDatacenter(): Promise<string> {
    this.#asked ??= this.client.agentSelf().then(
      ({ datacenter }) => datacenter,
      (error: unknown) => {
        this.#asked = undefined;
        if (error instanceof OperationalError && !isKind(error, clientErrors.unreachable)) return "";
        throw error;
      },
    );
    return this.#asked;
  }
}
