import { ConsulClient } from "@millwright/clients/consul";
import { consulTarget } from "@millwright/clients/consul-config";
import { clientErrors } from "@millwright/clients/errors";
import { HttpConnections } from "@millwright/clients/http";
import { isKind, messageOf, OperationalError } from "@millwright/core/errors";
import type { Chance, Clock } from "@millwright/core/ports";
import { nodeErrors } from "./errors.ts";

/** One server of discovery, with the ways to speak to it. */
export interface Server {
  readonly address: string;
  /** Calls of the node itself; sends each once. */
  readonly client: ConsulClient;
  /** Requests that are passed on. */
  readonly connections: HttpConnections;
}

/**
 * The servers a node knows, and which of them answered last: that one is asked first. Opens no connection before the
 * first call.
 */
export class Servers {
  readonly #ports: { readonly clock: Clock; readonly chance: Chance };
  #list: readonly Server[] = [];

  /** Throws `badConfiguration` for what is no address. */
  constructor(addresses: readonly string[], ports: { readonly clock: Clock; readonly chance: Chance }) {
    this.#ports = ports;
    for (const address of addresses) this.add(address);
  }

  /** The addresses as they were given, the preferred one first. */
  get addresses(): readonly string[] {
    return this.#list.map(({ address }) => address);
  }

  /** The one that answered last is first. */
  get inOrder(): readonly Server[] {
    return this.#list;
  }

  /** Adds a server, where it is not known yet. Throws `badConfiguration`. */
  add(address: string): void {
    if (this.#list.some((known) => known.address === address)) return;
    const config = { address };
    const client = new ConsulClient(config, { attempts: 1, ...this.#ports });
    this.#list = [...this.#list, { address, client, connections: new HttpConnections(consulTarget(config)) }];
  }

  /** Makes this server the first to be asked. */
  prefer(server: Server): void {
    if (this.#list[0] === server) return;
    this.#list = [server, ...this.#list.filter((other) => other !== server)];
  }

  /**
   * Carries out repeatable `work` with the first server that can: goes on to the next where one cannot be reached, breaks
   * off, fails, or does not answer within the patience. Rejects with `noServer` where none can, with any other error as it
   * is, and with the signal's reason.
   */
  async call<T>(work: ServerWork<T>, { signal, patienceMilliseconds }: CallPatience): Promise<T> {
    const failures: ServerFailure[] = [];
    for (const server of this.#list) {
      const patience = AbortSignal.timeout(patienceMilliseconds);
      try {
        const result = await work(server.client, AbortSignal.any([signal, patience]));
        this.prefer(server);
        return result;
      } catch (error) {
        signal.throwIfAborted();
        const isSilent = patience.aborted;
        if (!isSilent && !(error instanceof OperationalError && mayTryNext(error))) throw error;
        const why = isSilent ? `no answer within ${patienceMilliseconds / 1000} s` : messageOf(error);
        failures.push({ address: server.address, why });
      }
    }
    throw noServer(failures);
  }

  async close(): Promise<void> {
    await Promise.all(this.#list.flatMap(({ client, connections }) => [client.close(), connections.close()]));
  }
}

export type ServerWork<T> = (client: ConsulClient, signal: AbortSignal) => Promise<T>;

export interface CallPatience {
  readonly signal: AbortSignal;
  /** How long one server has to answer before the next is asked. */
  readonly patienceMilliseconds: number;
}

export interface ServerFailure {
  readonly address: string;
  readonly why: string;
}

/** The error for a request that no server could take: names which were asked, and why each could not. */
export function noServer(failures: readonly ServerFailure[]): OperationalError {
  const text =
    failures.length === 0
      ? "No cluster leader: this node has not joined a server. Give one with -join=HOST:PORT, or PUT /v1/agent/join/HOST:PORT."
      : `No cluster leader: no server could be reached.\n${failures.map(({ address, why }) => `  ${address}: ${why}`).join("\n")}`;
  return new OperationalError(nodeErrors.noServer, text);
}

function mayTryNext(error: OperationalError): boolean {
  return error.kind.retryable || isKind(error, clientErrors.untrusted) || isKind(error, clientErrors.undecided);
}
