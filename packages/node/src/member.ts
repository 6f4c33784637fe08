import type { ConsulClient } from "@millwright/clients/consul";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { IdentityKeeper } from "./kept-identity.ts";
import { type Membership, type MembershipEvent, stepMembership } from "./membership.ts";
import type { NodeIdentity } from "./identity.ts";
import type { Servers } from "./servers.ts";

export interface MemberOptions {
  readonly identity: NodeIdentity;
  readonly servers: Servers;
  readonly kept: IdentityKeeper;
  readonly joinToken: () => Promise<string | undefined>;
  /** Told what a server answers to each renewal. */
  readonly onRenewed: (heard: Renewal) => void;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** What a server says of this node and of all of them. */
export interface Renewal {
  /** False where somebody took the node out of the catalog. */
  readonly known: boolean;
  /** How many nodes there are. */
  readonly nodes: number;
}

/** A node as the servers see it: joins, and renews its liveness each third of its time, until it is closed. */
export class Member {
  readonly #options: MemberOptions;
  #state: Membership = { kind: "unjoined" };
  #wake = new AbortController();
  readonly #listeners = new Set<(state: Membership) => void>();

  constructor(options: MemberOptions) {
    this.#options = options;
    if (options.servers.addresses.length > 0) this.#feed({ kind: "server-known" });
  }

  get state(): Membership {
    return this.#state;
  }

  /** Told of each change of the state but plain renewals. Gives a function that ends the listening. */
  listen(listener: (state: Membership) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Resolves when the node is alive; at once where it is. */
  alive(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#state.kind === "alive") return resolve();
      const settle = (state: Membership) => {
        if (state.kind !== "alive") return;
        stop();
        resolve();
      };
      const stop = this.listen(settle);
      signal.addEventListener("abort", () => (stop(), reject(signal.reason)), { once: true });
    });
  }

  /** Another server has become known: tries at once. */
  tryNow(): void {
    this.#feed({ kind: "server-known" });
    this.#wake.abort();
  }

  /** Stops renewing for good. */
  leave(): void {
    this.#feed({ kind: "left" });
    this.#wake.abort();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#state.kind !== "left") {
      this.#wake = new AbortController();
      const pause = this.#state.kind === "unjoined" ? idle : await this.#renewOrJoin(signal);
      const woken = AbortSignal.any([signal, this.#wake.signal]);
      await this.#options.clock.sleep(pause, woken).catch(() => undefined);
    }
  }

  /** Says that it lives, as itself where it has an identity, else joins first; gives the pause until the next time. */
  async #renewOrJoin(signal: AbortSignal): Promise<number> {
    const { clock, chance, servers, kept } = this.#options;
    try {
      const identity = kept.get();
      return await servers.call(
        (client, within) =>
          identity === undefined ? this.#join(client, within) : this.#renew(client, identity.token, within),
        { signal, patienceMilliseconds },
      );
    } catch (error) {
      if (signal.aborted) return 0;
      if (!(error instanceof OperationalError)) throw error;
      this.#feed({ kind: "failed", now: clock.monotonic(), why: messageOf(error) });
      return retryPause * (0.5 + chance.fraction());
    }
  }

  async #renew(client: ConsulClient, token: string, signal: AbortSignal): Promise<number> {
    const { clock, identity } = this.#options;
    const asked = clock.monotonic();
    const outcome = await client.node.liveness({ node: identity.name, id: identity.id }, { token, signal });
    if (outcome.kind === "alive") {
      this.#feed({ kind: "renewed", now: asked, ttl: outcome.livenessMilliseconds });
      this.#options.onRenewed({ known: outcome.known, nodes: outcome.nodes });
      return outcome.livenessMilliseconds / 3;
    }
    this.#feed({ kind: "forgotten", why: outcome.said });
    return this.#join(client, signal);
  }

  async #join(client: ConsulClient, signal: AbortSignal): Promise<number> {
    const { clock, identity, kept, joinToken, log } = this.#options;
    const asked = clock.monotonic();
    const request = {
      joinToken: (await joinToken()) ?? "",
      node: identity.name,
      id: identity.id,
      address: identity.address,
      datacenter: identity.datacenter,
      taggedAddresses: taggedAddresses(identity),
      ...(identity.meta ? { meta: identity.meta } : {}),
    };
    const outcome = await client.node.join(request, { signal });
    if (outcome.kind !== "joined") {
      this.#feed({ kind: "failed", now: clock.monotonic(), why: `${client.address} answered: ${outcome.said}` });
      return refusedPause;
    }
    const [openAccess = false] = await client.acl.authorize([everything], { signal });
    await kept.set({ token: outcome.nodeToken, datacenter: outcome.datacenter, openAccess });
    log.write("info", "node: joined", { server: client.address, datacenter: outcome.datacenter });
    this.#feed({ kind: "renewed", now: asked, ttl: outcome.livenessMilliseconds });
    // The join itself grants no liveness on all servers alike: it is said at once.
    return 0;
  }

  #feed(event: MembershipEvent): void {
    const before = this.#state;
    this.#state = stepMembership(before, event);
    const { kind } = this.#state;
    const why = "why" in this.#state ? { why: this.#state.why } : {};
    const isNews = kind !== before.kind || why.why !== ("why" in before ? before.why : undefined);
    if (isNews) this.#options.log.write("why" in this.#state ? "warn" : "info", `node: ${kind}`, why);
    if (isNews) for (const listener of this.#listeners) listener(this.#state);
  }
}

/** The addresses under which a node is known on each network, as Consul names them. */
export function taggedAddresses({ address }: { readonly address: string }): Readonly<Record<string, string>> {
  const family = address.includes(":") ? "ipv6" : "ipv4";
  return { lan: address, [`lan_${family}`]: address, wan: address, [`wan_${family}`]: address };
}

/** Who may do this without a token may do all: the server has no access control. */
const everything = { resource: "acl", access: "write", segment: "" } as const;

const idle = 3_600_000;
/** About the pause after which servers that did not answer are asked again. */
const retryPause = 1_500;
/** The pause after a server's refusal, which only an operator can change. */
const refusedPause = 15_000;
/** A server that does not answer within this time is taken for dead: the next one is asked while the liveness still holds. */
const patienceMilliseconds = 3_000;
