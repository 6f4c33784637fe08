import type { ConsulClient } from "@millwright/clients/consul";
import { messageOf } from "@millwright/core/errors";
import type { Clock, Log } from "@millwright/core/ports";
import type { Member, Membership, NodeIdentity } from "./membership.ts";

export interface DiscoveryMembershipOptions {
  readonly client: ConsulClient;
  /** What this server itself shows to discovery; secret. */
  readonly token: () => string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * How long an answer about a token is believed, in milliseconds. A node that joins again has another token: from when that is shown
 * here, or this time has passed, the old one is good for nothing.
 */
const believed = 30_000;
const mostBelieved = 10_000;

/** Membership as our discovery server tells it, over its node seam. */
export function discoveryMembership(options: DiscoveryMembershipOptions): Membership {
  const { client, clock } = options;
  const known = new Map<string, { readonly node: NodeIdentity; readonly until: number }>();
  return {
    identify: async (token, signal) => {
      const seen = known.get(token);
      if (seen && clock.monotonic() < seen.until) return seen.node;
      known.delete(token);
      const answer = token === "" ? undefined : await client.node.whoAmI({ token, signal });
      if (!answer) return undefined;
      const node = { id: answer.id, name: answer.node };
      // It has joined again: what it had before is asked for anew.
      for (const [other, { node: before }] of known) if (before.id === node.id) known.delete(other);
      if (known.size >= mostBelieved) known.clear();
      known.set(token, { node, until: clock.monotonic() + believed });
      return node;
    },
    follow: (signal) => followNodes(options, signal),
  };
}

async function* followNodes(
  { client, token, clock, log }: DiscoveryMembershipOptions,
  signal: AbortSignal,
): AsyncGenerator<readonly Member[]> {
  let version = "";
  let failures = 0;
  while (!signal.aborted) {
    try {
      const answer = await client.node.nodes(version, { token: token(), signal });
      failures = 0;
      if (answer.version === version) continue;
      version = answer.version;
      yield answer.nodes;
    } catch (error) {
      if (signal.aborted) return;
      log.write("warn", "jobs: discovery does not tell which nodes are alive", { error: messageOf(error) });
      await clock.sleep(Math.min(5_000, 200 * 2 ** failures++), signal).catch(() => undefined);
    }
  }
}
