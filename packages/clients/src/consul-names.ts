import { lookup, Resolver, resolveSrv } from "node:dns/promises";
import { OperationalError } from "@millwright/core/errors";
import { type Clock, systemClock } from "@millwright/core/ports";
import { clientErrors } from "./errors.ts";

/** Where a server can be reached. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** A host as an address names it; `port` is undefined where the address has none. */
export interface NamedHost {
  readonly host: string;
  readonly port: number | undefined;
  /** The scheme's own, for a name that brings none. */
  readonly defaultPort: number;
}

/** Something that knows names; both calls reject or resolve to nothing for a name that it does not know. */
export interface NameSource {
  addresses(name: string): Promise<readonly string[]>;
  services(name: string): Promise<readonly ServiceRecord[]>;
}

export interface ServiceRecord {
  readonly target: string;
  readonly port: number;
  readonly priority: number;
}

export interface ConsulNamesOptions {
  /** `host:port` of the node's own DNS server. */
  readonly dnsAddress: string;
  readonly system?: NameSource;
  readonly clock?: Clock;
}

/** How long the system may take before the local server is asked: many resolvers are slow to say no. */
const systemPatience = 1_500;

/** How long an answer is used: the next call after a service has moved finds it again. */
const keptMilliseconds = 2_000;

/** Whether a host is a name of a datacenter (`vault.service.consul`), which {@link ConsulNames} resolves. */
export function isConsulName(host: string): boolean {
  return /\.consul\.?$/i.test(host);
}

/** Where the local DNS server listens: `MILLWRIGHT_DNS_ADDR`, else 127.0.0.1:8600. */
export function dnsAddressOf(env: Readonly<Record<string, string | undefined>>): string {
  return env.MILLWRIGHT_DNS_ADDR || "127.0.0.1:8600";
}

/**
 * Names of a datacenter. The system is asked first, as it may have been set up to know them; where it does not, the DNS
 * server of this machine's node. Where the address has no port, it is that of the SRV record, if there is one.
 */
export class ConsulNames {
  readonly #options: ConsulNamesOptions;
  readonly #kept = new Map<string, { readonly endpoints: readonly Endpoint[]; readonly until: number }>();

  constructor(options: ConsulNamesOptions) {
    this.#options = options;
  }

  /** At least one endpoint, in the order to try them. Rejects with `unreachable` where nobody knows the name. */
  async resolve(named: NamedHost): Promise<readonly Endpoint[]> {
    const { clock = systemClock, system = systemNames, dnsAddress } = this.#options;
    const name = named.host.replace(/\.$/, "");
    const key = `${name}:${named.port ?? ""}`;
    const kept = this.#kept.get(key);
    if (kept && clock.monotonic() < kept.until) return kept.endpoints;
    let endpoints = await within(systemPatience, clock, endpointsOf(system, name, named));
    if (endpoints.length === 0) endpoints = await endpointsOf(localNames(dnsAddress), name, named);
    if (endpoints.length === 0) throw unknownName(name, dnsAddress);
    this.#kept.set(key, { endpoints, until: clock.monotonic() + keptMilliseconds });
    return endpoints;
  }

  /** Forgets what it knows of a name, because it was of no use. */
  forget({ host, port }: NamedHost): void {
    this.#kept.delete(`${host.replace(/\.$/, "")}:${port ?? ""}`);
  }
}

async function endpointsOf(source: NameSource, name: string, named: NamedHost): Promise<readonly Endpoint[]> {
  const records = named.port === undefined ? await orNone(source.services(name)) : [];
  const sorted = [...records].sort((a, b) => a.priority - b.priority);
  const found = await Promise.all(
    sorted.map(async ({ target, port }) => (await orNone(source.addresses(target))).map((host) => ({ host, port }))),
  );
  const services = found.flat();
  if (services.length > 0) return services;
  const port = named.port ?? named.defaultPort;
  return (await orNone(source.addresses(name))).map((host) => ({ host, port }));
}

// A name that is not known, and a server that does not answer, are the same here: there is nothing to go to.
function orNone<T>(found: Promise<readonly T[]>): Promise<readonly T[]> {
  return found.catch(() => []);
}

async function within(
  milliseconds: number,
  clock: Clock,
  found: Promise<readonly Endpoint[]>,
): Promise<readonly Endpoint[]> {
  const settled = new AbortController();
  const late = clock.sleep(milliseconds, settled.signal).then(
    () => [],
    () => [],
  );
  try {
    return await Promise.race([found, late]);
  } finally {
    settled.abort();
  }
}

const systemNames: NameSource = {
  addresses: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
  services: async (name) =>
    (await resolveSrv(name)).map(({ name: target, port, priority }) => ({ target, port, priority })),
};

function localNames(dnsAddress: string): NameSource {
  const resolver = new Resolver({ timeout: 1_000, tries: 2 });
  resolver.setServers([dnsAddress]);
  return {
    addresses: async (name) => {
      const [v4, v6] = await Promise.all([orNone(resolver.resolve4(name)), orNone(resolver.resolve6(name))]);
      return [...v4, ...v6];
    },
    services: async (name) =>
      (await resolver.resolveSrv(name)).map(({ name: target, port, priority }) => ({ target, port, priority })),
  };
}

function unknownName(name: string, dnsAddress: string): OperationalError {
  const text = `Cannot reach ${name}: neither this machine's DNS nor the node's own at ${dnsAddress} (MILLWRIGHT_DNS_ADDR) knows the name. Check its spelling, that a node runs here, and that an instance of the service is healthy.`;
  return new OperationalError(clientErrors.unreachable, text);
}
