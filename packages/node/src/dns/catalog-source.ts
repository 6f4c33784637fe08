import type { ConsulClient } from "@millwright/clients/consul";
import { type Answer, type ReadOptions, RefusedAnswer } from "@millwright/clients/consul-api";
import type { CatalogNode as WireNode } from "@millwright/clients/consul-catalog";
import type { ServiceHealth } from "@millwright/clients/consul-health";
import { Semaphore } from "@millwright/core/concurrency";
import { OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { AddressOwners, CatalogNode, CatalogSource, Found, Instance, Lookup } from "./catalog.ts";
import { dnsErrors } from "./errors.ts";
import { addressKey, type HostAddress, parseHostAddress } from "./host-address.ts";
import { WatchedView } from "./watched-view.ts";

export interface CatalogSourceOptions {
  /** Carries out a read with a server that can: another one when the first is gone. */
  readonly call: <T>(read: (client: ConsulClient) => Promise<T>) => Promise<T>;
  /** The token of the next read, where the clients have none of their own. */
  readonly token?: () => string | undefined;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
  /** Names that are watched at a time; 500 by default. Beyond them the one that was asked longest ago goes. */
  readonly names?: number;
  /** How long a name is watched after its last question; 5 minutes by default, and 30 s where there is nothing of it. */
  readonly idleMilliseconds?: number;
  readonly unknownIdleMilliseconds?: number;
  /** How long the first question for a name waits for the servers; 3 s by default. */
  readonly firstMilliseconds?: number;
  /** How long answers are given on while the servers do not answer; without limit by default. */
  readonly maxStaleMilliseconds?: number;
}

/**
 * The catalog of the servers, over Consul's HTTP API. The first question for a name fetches it; from then on a blocking
 * read keeps it fresh, so that answers come from memory and a change is seen when it happens. Names of which there is
 * nothing are watched too, so that a service is found as soon as it is registered.
 */
export function openCatalogSource(options: CatalogSourceOptions): CatalogSource {
  const views = new Views(options);
  const { call, token } = options;
  const at = (datacenter: string | undefined, position: ReadOptions): ReadOptions => {
    const secret = token?.();
    return { ...position, ...(datacenter ? { datacenter } : {}), ...(secret ? { token: secret } : {}) };
  };
  return {
    service: (name, datacenter) =>
      views.get(nameOf("service", name, datacenter), isEmptyList, (position) =>
        call(({ health }) => known(health.service(name, at(datacenter, position)), toInstances, [])),
      ),
    node: (name, datacenter) =>
      views.get(nameOf("node", name, datacenter), isUndefined, (position) =>
        call(({ catalog }) =>
          known(catalog.node(name, at(datacenter, position)), (found) => found && toNode(found.node), undefined),
        ),
      ),
    owners: (address) => {
      const nodes = views.get("nodes' addresses", never, (position) =>
        call(({ catalog }) => known(catalog.nodes(at(undefined, position)), nodesByAddress, new Map())),
      );
      const services = (): Lookup<NamesByAddress> =>
        views.get(
          "services' addresses",
          never,
          (position) => call((client) => servicesByAddress(client, at(undefined, position))),
          rebuildPause,
        );
      return ownersOf(address, nodes, services);
    },
    close: () => views.close(),
  };
}

/** Lists of all services are read again at most this often. */
const rebuildPause = 10_000;

type Read<T> = (position: ReadOptions) => Promise<Answer<T>>;
type NamesByAddress = ReadonlyMap<string, readonly string[]>;

/** The views by what they are of, bounded in number and in the time they are not asked for. */
class Views {
  readonly #options: CatalogSourceOptions;
  readonly #views = new Map<string, Entry>();
  readonly #ended = new AbortController();
  readonly #sweeping: Promise<void>;
  readonly #closing = new Set<Promise<void>>();

  constructor(options: CatalogSourceOptions) {
    this.#options = options;
    this.#sweeping = this.#sweep();
  }

  get<T>(what: string, isNothing: (value: T) => boolean, read: Read<T>, pauseMilliseconds = 10): Lookup<T> {
    const now = this.#options.clock.monotonic();
    const entry = this.#views.get(what);
    if (entry) {
      entry.asked = now;
      // A key begins with its kind, and each kind has one type.
      return entry.view.get() as Lookup<T>;
    }
    if (this.#ended.signal.aborted)
      return Promise.reject(new OperationalError(dnsErrors.noAnswer, "The DNS front is closing."));
    this.#makeRoom();
    const { firstMilliseconds = 3_000, maxStaleMilliseconds = Number.POSITIVE_INFINITY } = this.#options;
    const limits = { firstMilliseconds, maxStaleMilliseconds, pauseMilliseconds };
    const view = new WatchedView({ ...this.#options, ...limits, what, read });
    const hasNothing = () => view.current === undefined || isNothing(view.current.value);
    this.#views.set(what, { view, hasNothing, asked: now });
    return view.get();
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#sweeping;
    for (const what of this.#views.keys()) this.#end(what);
    await Promise.all(this.#closing);
  }

  // Names of which nothing is known go first, so that asking for many of them does not push out the others.
  #makeRoom(): void {
    const { names = 500 } = this.#options;
    if (this.#views.size < names) return;
    const all = [...this.#views].map(([what, { asked, hasNothing }]) => ({ what, asked, nothing: hasNothing() }));
    const candidates = all.some(({ nothing }) => nothing) ? all.filter(({ nothing }) => nothing) : all;
    const oldest = candidates.reduce((a, b) => (b.asked < a.asked ? b : a));
    this.#end(oldest.what);
  }

  async #sweep(): Promise<void> {
    const { clock, idleMilliseconds = 300_000, unknownIdleMilliseconds = 30_000 } = this.#options;
    const { signal } = this.#ended;
    const interval = Math.min(unknownIdleMilliseconds, idleMilliseconds) / 4;
    while (!signal.aborted) {
      await clock.sleep(interval, signal).catch(() => undefined);
      const now = clock.monotonic();
      for (const [what, { asked, hasNothing }] of this.#views)
        if (now - asked > (hasNothing() ? unknownIdleMilliseconds : idleMilliseconds)) this.#end(what);
    }
  }

  #end(what: string): void {
    const closed = this.#views.get(what)?.view.close();
    this.#views.delete(what);
    if (!closed) return;
    this.#closing.add(closed);
    void closed.finally(() => this.#closing.delete(closed));
  }
}

interface Entry {
  readonly view: { get(): Lookup<unknown>; close(): Promise<void> };
  readonly hasNothing: () => boolean;
  asked: number;
}

function nameOf(kind: "service" | "node", name: string, datacenter: string | undefined): string {
  return datacenter === undefined ? `${kind} ${name}` : `${kind} ${name} in ${datacenter}`;
}

const isEmptyList = (list: readonly unknown[]) => list.length === 0;
const isUndefined = (value: unknown) => value === undefined;
const never = () => false;

/** Translates an answer; one that says that there is no such datacenter is `nothing`. */
async function known<W, T>(answer: Promise<Answer<W>>, translate: (wire: W) => T, nothing: T): Promise<Answer<T>> {
  try {
    const found = await answer;
    return { ...found, value: translate(found.value) };
  } catch (error) {
    const cause = error instanceof OperationalError ? error.cause : undefined;
    if (!(cause instanceof RefusedAnswer) || !/No path to datacenter/.test(cause.message)) throw error;
    return { value: nothing, index: 0, knownLeader: true, lastContact: 0, filtered: false };
  }
}

async function ownersOf(
  address: string,
  nodes: Lookup<NamesByAddress>,
  services: () => Lookup<NamesByAddress>,
): Promise<Found<AddressOwners>> {
  const owners = (await nodes).value.get(address);
  if (owners) return { value: { nodes: owners, services: [] } };
  return { value: { nodes: [], services: (await services()).value.get(address) ?? [] } };
}

function nodesByAddress(nodes: readonly WireNode[]): NamesByAddress {
  return byAddress(nodes.map(({ node, address }) => ({ name: node, address: parseHostAddress(address) })));
}

async function servicesByAddress(client: ConsulClient, position: ReadOptions): Promise<Answer<NamesByAddress>> {
  const { index: _, wait: __, ...options } = position;
  const list = await client.catalog.services(position);
  const atOnce = new Semaphore(8);
  const found = await Promise.all(
    Object.keys(list.value).map((name) => atOnce.run(() => client.catalog.service(name, options))),
  );
  const named = found.flatMap(({ value }) =>
    value.map(({ node, service }) => ({
      name: service.service,
      address: parseHostAddress(service.address || node.address),
    })),
  );
  return { ...list, value: byAddress(named) };
}

function byAddress(named: readonly { readonly name: string; readonly address: HostAddress }[]): NamesByAddress {
  const names = new Map<string, Set<string>>();
  for (const { name, address } of named) {
    if (!("bytes" in address)) continue;
    const key = addressKey(address.bytes);
    names.set(key, (names.get(key) ?? new Set()).add(name));
  }
  return new Map([...names].map(([key, set]) => [key, [...set]]));
}

function toNode({ node, datacenter, address, meta }: WireNode): CatalogNode {
  return { name: node, datacenter, address: parseHostAddress(address), meta };
}

function toInstances(entries: readonly ServiceHealth[]): readonly Instance[] {
  return entries.map(({ node: wireNode, service, checks }) => {
    const node = toNode(wireNode);
    const statuses = checks.map(({ status }) => status);
    const health = statuses.includes("critical") ? "critical" : statuses.includes("warning") ? "warning" : "passing";
    const { passing, warning } = service.weights;
    return {
      node,
      address: service.address === "" ? node.address : parseHostAddress(service.address),
      port: service.port,
      tags: service.tags.map((tag) => tag.toLowerCase()),
      health,
      // An answer without weights is of a server that has none: each counts as one.
      weight: Math.min(65_535, (health === "passing" ? passing : warning) || (passing === 0 && warning === 0 ? 1 : 0)),
    };
  });
}
