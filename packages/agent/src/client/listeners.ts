import { isKind, OperationalError } from "@millwright/core/errors";
import type { HttpService } from "@millwright/core/http";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import { daemonErrors } from "@millwright/daemon/errors";
import { formatAddress, type ListenAddress, listen } from "@millwright/daemon/listener";
import { agentErrors } from "../errors.ts";

export interface NomadListening {
  readonly settings: { readonly port?: number };
  readonly self: { readonly address: string };
  readonly freePortIfTaken: boolean;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/**
 * Listens for Nomad's HTTP API: at the node's own address, where servers ask it, and at loopback for people on the machine. The
 * service is made at the first request. Rejects as `listen` does; `closers` gets what ends the listening.
 */
export async function listenForNomad(
  { settings, self, freePortIfTaken, clock, chance, log }: NomadListening,
  closers: (() => Promise<void>)[],
  openService: () => Promise<HttpService>,
): Promise<readonly ListenAddress[]> {
  let opened: Promise<HttpService> | undefined;
  const service: HttpService = async (request) => (await (opened ??= openService()))(request);
  const shared = { service, clock, log, requestId: () => chance.uuid(), portFlag: "-nomad-port" };
  const bound: ListenAddress[] = [];
  const listenAt = async (host: string, port: number, freely: boolean) => {
    const address = { kind: "tcp", host, port } as const;
    const listener = await listen({ ...shared, address, freePortIfTaken: freely });
    closers.push(() => listener.close(graceMilliseconds));
    bound.push(listener.address);
    log.write("info", "agent: Nomad HTTP API", { address: formatAddress(listener.address) });
  };
  await listenAt(self.address, settings.port ?? defaultPort, freePortIfTaken).catch((error: unknown) =>
    notHere(error, self.address),
  );
  const [first] = bound;
  if (first?.kind === "tcp" && !isLoopback(self.address)) await listenAt("127.0.0.1", first.port, freePortIfTaken);
  return bound;
}

/** `host:port` at which servers reach the first of the addresses. */
export function reachedAt([first]: readonly ListenAddress[]): string {
  return first ? formatAddress(first) : "";
}

const defaultPort = 4646;
const graceMilliseconds = 2_000;

function isLoopback(host: string): boolean {
  return host.startsWith("127.") || host === "::1" || host === "localhost";
}

function notHere(error: unknown, address: string): never {
  if (!isKind(error, daemonErrors.addressRefused)) throw error;
  const text = `Servers are to reach this node at ${address}, which this machine cannot listen on. Give one of its own addresses with -advertise.`;
  throw new OperationalError(agentErrors.badConfiguration, text, { cause: error });
}
