import { OperationalError } from "@millwright/core/errors";
import type { HttpService } from "@millwright/core/http";
import { type Chance, type Clock, type Log, silentLog, systemChance, systemClock } from "@millwright/core/ports";
import type { GateSurroundings } from "@millwright/gates/make-gates";
import { keepSweeping } from "@millwright/records/sweep";
import type { Store } from "@millwright/store/contract";
import { keepLeading } from "@millwright/store/leadership";
import { commandsOver } from "./commands/commands.ts";
import type { ServerIdentity } from "./context.ts";
import { allowAll, type Authorizer } from "./http/permissions.ts";
import type { Route } from "./http/route.ts";
import { NodeForwarder } from "./http/node-forwarder.ts";
import { httpRoutes } from "./http/routes.ts";
import { keepPublished, publishedKeys, publishKey } from "./identity/published-keys.ts";
import { openSigner } from "./identity/signer.ts";
import { leaderKey } from "./keys.ts";
import { runLeader } from "./leader/leader.ts";
import type { Membership } from "./membership.ts";
import { nodeRoutes } from "./seam/node-routes.ts";
import { jobsService } from "./service.ts";
import { openOrchestratorState } from "./state.ts";

export interface OrchestratorOptions {
  readonly store: Store;
  readonly identity: ServerIdentity;
  /** Who a node's token is of, and which nodes are alive. */
  readonly membership: Membership;
  /** Without one everybody may do everything. */
  readonly authorizer?: Authorizer;
  /** What the gates of deployments may run, and which discovery they ask. */
  readonly gates: Omit<GateSurroundings, "clock">;
  /** Where the key lies that workload identities are signed with; made, mode 0600, where it is not there. In memory by default. */
  readonly signingKeyFile?: string;
  /** Indent all JSON, as a development server does. */
  readonly pretty?: boolean;
  readonly clock?: Clock;
  readonly chance?: Chance;
  readonly log?: Log;
}

/** The jobs server over one store; several may work over the same one. */
export interface Orchestrator {
  readonly handle: HttpService;
  /** What it answers, for documentation and tests. */
  readonly routes: readonly Route[];
  /** Ends blocked queries with what there is, and its work in the background. The store stays open. */
  close(): Promise<void>;
}

/** Opens the jobs server: reads the state from the store, follows it, and does the leader's work whenever it is the leader. */
export async function openOrchestrator(options: OrchestratorOptions): Promise<Orchestrator> {
  const { store, identity, membership, authorizer = allowAll, pretty = false } = options;
  const { clock = systemClock, chance = systemChance, log = silentLog } = options;
  const signer = await openSigner(options.signingKeyFile);
  const projection = await openOrchestratorState({ store, clock, log });
  const context = { store, projection, clock, chance, log, identity, gates: { ...options.gates, clock } };
  const commands = commandsOver(context);
  const closing = new AbortController();
  const { signal } = closing;
  await publishKey(context, signer);
  const leading = { store, clock, chance, log, signal, key: leaderKey, name: identity.name };
  const background = Promise.all([
    keepLeading(leading, (term) => runLeader({ ...context, membership }, term)),
    keepPublished(context, signer, signal),
    keepSweeping(context, signal),
  ]);
  const jwks = () => publishedKeys(context);
  const nodes = new NodeForwarder();
  const routes = [
    ...httpRoutes({ ...context, commands, nodes, pretty, jwks }),
    ...nodeRoutes({ ...context, commands, signer }),
  ];
  return {
    routes,
    handle: jobsService({ routes, authorizer, membership, identity }),
    close: async () => {
      closing.abort();
      await Promise.all([projection.close(), nodes.close()]);
      await background.catch(endOnly);
    },
  };
}

// What the store says while it goes away is no news; a bug is.
function endOnly(error: unknown): void {
  if (!(error instanceof OperationalError)) throw error;
}
