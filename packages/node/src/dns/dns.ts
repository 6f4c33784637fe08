import { isIPv6 } from "node:net";
import { OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import { daemonErrors } from "@millwright/daemon/errors";
import type { CatalogSource } from "./catalog.ts";
import { Recursors } from "./recursors.ts";
import { Responder } from "./responder.ts";
import { listenTcp, type TcpListener } from "./tcp.ts";
import type { TtlSettings } from "./ttl.ts";
import { listenUdp, type UdpListener } from "./udp.ts";

/** A host and a port, the same one for UDP and TCP; port 0 is any free one. */
export interface DnsAddress {
  readonly host: string;
  readonly port: number;
}

export interface DnsOptions {
  readonly addresses: readonly DnsAddress[];
  /** `consul.` by default. */
  readonly domain?: string;
  /** A second domain, answered like the first. */
  readonly altDomain?: string;
  readonly source: CatalogSource;
  /** This node's name, given as name server where no server is in the catalog. */
  readonly nodeName: string;
  readonly datacenter: string;
  readonly ttl?: TtlSettings;
  /** Leave out instances with a warning too. */
  readonly onlyPassing?: boolean;
  /** Put the meta of nodes beside their addresses, as TXT; true by default. */
  readonly nodeMeta?: boolean;
  /** Answers at most over UDP to clients without EDNS; 3 by default. */
  readonly udpAnswerLimit?: number;
  /** Who is asked for names outside our domains; without any they are refused. */
  readonly recursors?: readonly DnsAddress[];
  readonly recursorTimeoutMilliseconds?: number;
  /** Take a free port where the wanted one is taken. */
  readonly freePortIfTaken?: boolean;
  /** How long a TCP connection may say nothing; 10 s by default. */
  readonly tcpIdleMilliseconds?: number;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** An open DNS front. */
export interface Dns {
  /** Where it listens indeed, with the ports that were taken. */
  readonly addresses: readonly DnsAddress[];
  /** Stops listening; the source stays open, it is its owner's. */
  close(): Promise<void>;
}

/**
 * Answers Consul's names over UDP and TCP. Rejects with `addressTaken` or `addressRefused`, naming the address and what
 * to do, and then listens nowhere.
 */
export async function openDns(options: DnsOptions): Promise<Dns> {
  const responder = new Responder(responderOptions(options));
  const opened: Opened[] = [];
  try {
    for (const address of options.addresses) opened.push(await open(address, responder, options));
  } catch (error) {
    await Promise.all(opened.map(close));
    throw error;
  }
  return {
    addresses: opened.map(({ address }) => address),
    close: async () => {
      await Promise.all(opened.map(close));
    },
  };
}

interface Opened {
  readonly address: DnsAddress;
  readonly tcp: TcpListener;
  readonly udp: UdpListener;
}

async function close({ tcp, udp }: Opened): Promise<void> {
  await Promise.all([tcp.close(), udp.close()]);
}

function responderOptions(options: DnsOptions) {
  const { domain = "consul.", altDomain, recursors = [], clock, chance, log, source, nodeName, datacenter } = options;
  const { recursorTimeoutMilliseconds: timeoutMilliseconds } = options;
  const settings = { servers: recursors, chance, log };
  return {
    domains: [domain, ...(altDomain ? [altDomain] : [])].map(labelsOf),
    source,
    nodeName,
    datacenter: datacenter.toLowerCase(),
    ttl: options.ttl ?? {},
    onlyPassing: options.onlyPassing ?? false,
    nodeMeta: options.nodeMeta ?? true,
    udpAnswerLimit: options.udpAnswerLimit ?? 3,
    recursors: new Recursors(timeoutMilliseconds === undefined ? settings : { ...settings, timeoutMilliseconds }),
    clock,
    chance,
    log,
  };
}

function labelsOf(domain: string): readonly string[] {
  return domain
    .toLowerCase()
    .split(".")
    .filter((label) => label !== "");
}

async function open(wanted: DnsAddress, responder: Responder, options: DnsOptions): Promise<Opened> {
  try {
    return await openPair(wanted, responder, options);
  } catch (error) {
    const taken = error instanceof OperationalError && error.code === daemonErrors.addressTaken.code;
    if (!taken || !options.freePortIfTaken) throw error;
    return openPair({ host: wanted.host, port: 0 }, responder, options);
  }
}

/** How often a free TCP port is taken whose UDP port is taken. */
const attempts = 20;

async function openPair(wanted: DnsAddress, responder: Responder, options: DnsOptions): Promise<Opened> {
  const { host } = wanted;
  const { log, tcpIdleMilliseconds } = options;
  const idle = tcpIdleMilliseconds === undefined ? {} : { idleMilliseconds: tcpIdleMilliseconds };
  for (let attempt = 1; ; attempt++) {
    const respond = (message: Buffer) => responder.respond(message, "tcp");
    const tcp = await listenTcp({ ...wanted, respond, log, ...idle }).catch((error) => fail(error, wanted, "TCP"));
    const address = { host, port: tcp.port };
    try {
      const udp = await listenUdp({ ...address, respond: (message) => responder.respond(message, "udp"), log });
      return { address, tcp, udp };
    } catch (error) {
      await tcp.close();
      if (wanted.port !== 0 || attempt === attempts) fail(error, address, "UDP");
    }
  }
}

function fail(error: unknown, { host, port }: DnsAddress, transport: "TCP" | "UDP"): never {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const where = `Cannot listen for DNS on ${isIPv6(host) ? `[${host}]` : host}:${port} (${transport})`;
  if (code === "EADDRINUSE") {
    const text = `${where}: another process has it. Stop that process, or choose another port (-dns-port).`;
    throw new OperationalError(daemonErrors.addressTaken, text, { cause: error });
  }
  const why: Readonly<Record<string, string>> = {
    EACCES: "this user may not. Use a port above 1023, or give the process CAP_NET_BIND_SERVICE.",
    EADDRNOTAVAIL: "this machine has no such address. Check -client.",
    ENOTFOUND: "the host name is not known. Check -client.",
  };
  const text = `${where}: ${why[code] ?? (error instanceof Error ? error.message : String(error))}`;
  throw new OperationalError(daemonErrors.addressRefused, text, { cause: error });
}
