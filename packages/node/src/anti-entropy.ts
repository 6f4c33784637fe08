import type { ConsulClient } from "@millwright/clients/consul";
import type { CheckRegistration, Registration } from "@millwright/clients/consul-catalog";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import { isDeepStrictEqual } from "node:util";
import type { CatalogView } from "./catalog-view.ts";
import type { NodeIdentity } from "./identity.ts";
import { durationText } from "./check-definition.ts";
import { type Renewal, taggedAddresses } from "./member.ts";
import type { LocalCheck } from "./node-state.ts";
import type { Registry } from "./registry.ts";
import type { Servers } from "./servers.ts";
import { type PendingWork, pendingWork } from "./pending-work.ts";

export interface AntiEntropyOptions {
  readonly registry: Registry;
  readonly servers: Servers;
  readonly identity: NodeIdentity;
  /** The node's own token; empty before it has one. Secret. */
  readonly nodeToken: () => string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/**
 * Keeps the catalog as this node is. A change goes out at once; an output alone later; once a minute all is compared, so
 * that what others changed or lost is repaired. What cannot be sent is tried again.
 */
export class AntiEntropy {
  readonly #options: AntiEntropyOptions;
  readonly #stopListening: () => void;
  #wake = new AbortController();
  #compareAt = 0;
  #notBefore = 0;
  #isOnline = false;
  #nodes = 1;

  constructor(options: AntiEntropyOptions) {
    this.#options = options;
    this.#stopListening = options.registry.listen((state, before) => {
      if (state.services !== before.services || state.checks !== before.checks) this.#wake.abort();
    });
  }

  /** The node has become alive, or has ceased to be: what it may not send waits. */
  setOnline(isOnline: boolean): void {
    this.#isOnline = isOnline;
    if (!isOnline) return;
    // Servers that come back are not to be met by all nodes at once.
    this.#compareAt = this.#options.clock.monotonic() + this.#options.chance.fraction() * mostStagger;
    this.#notBefore = 0;
    this.#wake.abort();
  }

  /**
   * Takes in what a server said: a node that the catalog lost registers at once; where there are many, each asks less often. That it
   * said anything is news to a node that waits to be heard: what it has to say may be that an instance is no more.
   */
  hear({ known, nodes }: Renewal): void {
    this.#nodes = nodes;
    if (!this.#isOnline) return;
    if (!known) this.#compareAt = 0;
    if (known && this.#options.clock.monotonic() >= this.#notBefore) return;
    this.#notBefore = 0;
    this.#wake.abort();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const pause = this.#isOnline ? await this.#turn(signal) : idle;
      const woken = AbortSignal.any([signal, this.#wake.signal]);
      await this.#options.clock.sleep(Math.max(1, pause), woken).catch(() => undefined);
    }
    this.#stopListening();
  }

  /** Sends what is due; gives the pause until something else is. */
  async #turn(signal: AbortSignal): Promise<number> {
    const { clock, chance, log, registry } = this.#options;
    const now = clock.monotonic();
    if (now < this.#notBefore) return this.#notBefore - now;
    try {
      if (now >= this.#compareAt) {
        await this.#compare(signal);
        this.#compareAt = clock.monotonic() + comparePause(this.#nodes) * (1 + chance.fraction() / 4);
      }
      const { registry } = this.#options;
      await this.#send(pendingWork(registry.state, clock.now()), signal);
    } catch (error) {
      if (signal.aborted) return 0;
      if (!(error instanceof OperationalError)) throw error;
      const pause = retryPause * (1 + chance.fraction());
      this.#notBefore = clock.monotonic() + pause;
      log.write("warn", "node: the catalog could not be brought up to date", { error: messageOf(error) });
      return pause;
    }
    const { nextAt } = pendingWork(registry.state, clock.now());
    const untilNext = nextAt === undefined ? Number.POSITIVE_INFINITY : nextAt - clock.now();
    return Math.min(this.#compareAt - clock.monotonic(), untilNext);
  }

  async #compare(signal: AbortSignal): Promise<void> {
    const { registry, identity, log } = this.#options;
    const catalog = await this.#call(
      (client, token, within) => readCatalog(client, identity.name, token, within),
      signal,
    );
    if (!isSameNode(identity, catalog)) {
      await this.#register("", { ...nodeOf(identity), skipNodeUpdate: false }, signal);
      log.write("info", "node: registered itself", { node: identity.name });
    }
    registry.dispatch({ kind: "catalog-read", catalog });
  }

  async #send(work: PendingWork, signal: AbortSignal): Promise<void> {
    const { registry, log, identity } = this.#options;
    for (const service of work.removedServices) {
      await this.#deregister({ serviceId: service }, signal);
      registry.dispatch({ kind: "removed-sent", service });
      log.write("info", "node: deregistered a service", { service });
    }
    for (const check of work.removedChecks) {
      await this.#deregister({ checkId: check }, signal);
      registry.dispatch({ kind: "removed-sent", check });
    }
    for (const { service, checks } of work.services) {
      const { token } = service.origin;
      const { name, ...fields } = service.definition;
      const entry = { service: { service: name, ...fields }, checks: checks.map(wireCheck) };
      await this.#register(token, { ...nodeOf(identity), ...entry }, signal);
      registry.dispatch({ kind: "sent", services: [service], checks });
      log.write("debug", "node: registered a service", { service: service.definition.id });
    }
    for (const checks of work.checkGroups) {
      await this.#register(
        checks[0]?.origin.token ?? "",
        { ...nodeOf(identity), checks: checks.map(wireCheck) },
        signal,
      );
      registry.dispatch({ kind: "sent", services: [], checks });
    }
  }

  /** Sends with the registration's own token, where it has one. What a server refuses is said, and tried at the next comparison. */
  async #register(ownToken: string, registration: Registration, signal: AbortSignal): Promise<void> {
    await this.#refusable(signal, (client, token, within) =>
      client.catalog.register(registration, { token: ownToken || token, signal: within }),
    );
  }

  async #deregister(
    what: { readonly serviceId?: string; readonly checkId?: string },
    signal: AbortSignal,
  ): Promise<void> {
    const node = this.#options.identity.name;
    await this.#refusable(signal, (client, token, within) =>
      client.catalog.deregister({ node, ...what }, { token, signal: within }),
    );
  }

  async #refusable(signal: AbortSignal, work: CatalogWork<void>): Promise<void> {
    try {
      await this.#call(work, signal);
    } catch (error) {
      if (!(error instanceof OperationalError) || error.kind.retryable) throw error;
      this.#options.log.write("error", "node: a server refused a registration", { error: messageOf(error) });
    }
  }

  #call<T>(work: CatalogWork<T>, signal: AbortSignal): Promise<T> {
    const { servers, nodeToken } = this.#options;
    return servers.call((client, within) => work(client, nodeToken(), within), { signal, patienceMilliseconds });
  }
}

type CatalogWork<T> = (client: ConsulClient, token: string, signal: AbortSignal) => Promise<T>;

/** The pause between two comparisons, in milliseconds: a minute, and more with each doubling of the nodes above 128. */
export function comparePause(nodes: number): number {
  return 60_000 * (nodes <= 128 ? 1 : 1 + Math.ceil(Math.log2(nodes / 128)));
}

/** The least pause after servers that did not answer, unless they are heard of before. */
const retryPause = 15_000;
const mostStagger = 1_000;
const patienceMilliseconds = 10_000;
const idle = 3_600_000;

async function readCatalog(
  client: ConsulClient,
  name: string,
  token: string,
  signal: AbortSignal,
): Promise<CatalogView> {
  const [node, checks] = await Promise.all([
    client.catalog.node(name, { token, signal }),
    client.health.node(name, { token, signal }),
  ]);
  return { node: node.value?.node, services: node.value?.services ?? [], checks: checks.value };
}

function isSameNode(identity: NodeIdentity, { node }: CatalogView): boolean {
  if (!node) return false;
  const wanted = nodeOf(identity);
  return (
    node.address === wanted.address &&
    node.id === wanted.id &&
    isDeepStrictEqual({ ...node.meta }, { ...wanted.nodeMeta }) &&
    isDeepStrictEqual({ ...node.taggedAddresses }, { ...wanted.taggedAddresses })
  );
}

function nodeOf(identity: NodeIdentity): Registration {
  return {
    node: identity.name,
    id: identity.id,
    address: identity.address,
    taggedAddresses: taggedAddresses(identity),
    nodeMeta: identity.meta ?? {},
    skipNodeUpdate: true,
  };
}

function wireCheck({ definition, status, output }: LocalCheck): CheckRegistration {
  const { id, name, notes, serviceId, probe } = definition;
  const times =
    "interval" in probe ? { interval: durationText(probe.interval), timeout: durationText(probe.timeout) } : {};
  return { checkId: id, name, status, notes, output, serviceId, type: probe.kind, ...times };
}
