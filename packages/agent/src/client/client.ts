import { once } from "node:events";
import type { ConsulClient } from "@millwright/clients/consul";
import { NomadNodeClient } from "@millwright/clients/nomad-node-client";
import { OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { ListenAddress } from "@millwright/daemon/listener";
import type { TaskServices } from "@millwright/node/task-services";
import type { Allocations, OpenAllocations } from "../allocation/allocations.ts";
import type { AllocationHost, VaultHost } from "../allocation/host.ts";
import type { TaskDriver } from "../driver/driver.ts";
import { agentErrors } from "../errors.ts";
import type { Logs } from "../logs/logs.ts";
import { Changes } from "./changes.ts";
import { consulReads } from "./consul-reads.ts";
import type { NodeSelf } from "./description.ts";
import { pollWait, stopWhenDisconnected } from "./disconnected.ts";
import { nodeEndpoints } from "./endpoints/service.ts";
import { Feed } from "./feed.ts";
import { JobCache } from "./job-cache.ts";
import { removeLeftServices } from "./left-services.ts";
import { listenForNomad, reachedAt } from "./listeners.ts";
import type { Orchestrator } from "./orchestrator.ts";
import { Outbox } from "./outbox.ts";
import { Registrar } from "./registrar.ts";
import { SelfPortrait } from "./self-portrait.ts";
import type { ClientSettings } from "./settings.ts";
import { openVaultHost } from "./vault-host.ts";

export interface ClientOptions {
  readonly settings: ClientSettings;
  readonly self: NodeSelf;
  readonly node: ClientNode;
  readonly dataFolder: string;
  readonly drivers: readonly TaskDriver[];
  readonly logs: Pick<Logs, "attach" | "detach">;
  readonly openAllocations: OpenAllocations;
  /** The agent's own. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly allowsScriptChecks: boolean;
  readonly freePortIfTaken: boolean;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** What of discovery's node the running of jobs uses. */
export interface ClientNode {
  readonly tasks: TaskServices;
  token(): string;
  ready(): Promise<void>;
  call<T>(read: (client: ConsulClient) => Promise<T>): Promise<T>;
}

/** The part of an agent that runs jobs. */
export interface Client {
  /** Where Nomad's HTTP API is answered. */
  readonly http: readonly ListenAddress[];
  readonly allocations: Allocations;
  /** Resolves when the servers of jobs know the node; at once where they do. */
  registered(): Promise<void>;
  /** Ends every task. */
  stopTasks(): Promise<void>;
  /** Ends its work; tasks go on running, and are found by the next agent over the same data folder. */
  close(): Promise<void>;
}

/**
 * Opens the part of an agent that runs jobs: finds the tasks that ran before, answers Nomad's HTTP API, and does from then on what
 * the servers say. It needs none of them to start. Rejects with an operational error where a port is taken or the data folder
 * cannot be used; nothing of it is left then.
 */
export async function openClient(options: ClientOptions): Promise<Client> {
  const closers: Closers = [];
  const close = async () => {
    for (const closeOne of closers.splice(0).reverse()) await closeOne();
  };
  try {
    return { ...(await open(options, closers)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Closers = (() => Promise<void>)[];

async function open(options: ClientOptions, closers: Closers): Promise<Omit<Client, "close">> {
  const { settings, self, node, clock, chance } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const orchestrator = new NomadNodeClient({ servers: settings.servers, token: () => node.token() });
  closers.push(() => orchestrator.close());
  const vault = settings.vault && openVaultHost(settings.vault);
  if (vault) closers.push(() => vault.close());
  const portrait = await SelfPortrait.take({ ...options, vault, signal });
  const key = Buffer.from(chance.bytes(32)).toString("base64url");
  const changes = new Changes();
  const held = promised<Allocations>(closers);
  const http = await listenForNomad(options, closers, async () =>
    nodeEndpoints({
      ...{ nodeId: self.id, dataFolder: options.dataFolder, key, clock },
      allocations: await held.promise,
      onChange: (allocation, changed) => changes.listen(allocation, changed),
      compute: portrait.registration.Resources.CPU,
      cores: portrait.registration.Resources.Cores,
      forward: (request) => orchestrator.forward(request),
    }),
  );
  portrait.reachedAt({ httpAddress: reachedAt(http), key });
  const links = linksTo(orchestrator, { options, portrait, held: held.promise });
  const host = hostOf(options, { ...links, orchestrator, portrait, changes, vault, signal });
  const allocations = await options.openAllocations(host);
  closers.push(() => allocations.close());
  held.resolve(allocations);
  const loops = startLoops(options, { ...links, orchestrator, portrait, allocations, signal });
  closers.push(async () => {
    closing.abort();
    await loops;
  });
  return {
    http,
    allocations,
    registered: () => links.registrar.registered(signal),
    stopTasks: async () => {
      await allocations.stopAll();
      await links.outbox.emptied(AbortSignal.any([signal, AbortSignal.timeout(lastWords)]));
    },
  };
}

/** Milliseconds in which servers may still take what has ended. */
const lastWords = 2_000;

/** Rejects when the start fails or the agent stops before it is there: whoever waits for it then hears so. */
function promised<T>(closers: Closers): PromiseWithResolvers<T> {
  const later = Promise.withResolvers<T>();
  // Nobody may be waiting.
  later.promise.catch(() => undefined);
  closers.push(async () => later.reject(new OperationalError(agentErrors.starting, "The agent is stopping.")));
  return later;
}

interface Links {
  readonly registrar: Registrar;
  readonly outbox: Outbox;
  readonly jobs: JobCache;
}

/** What goes to the servers, and what is asked of them. */
function linksTo(
  orchestrator: Orchestrator,
  parts: { readonly options: ClientOptions; readonly portrait: SelfPortrait; readonly held: Promise<Allocations> },
): Links {
  const { options, portrait, held } = parts;
  const { self, node, clock, chance, log } = options;
  const shared = { nodeId: self.id, orchestrator, clock, chance, log };
  const registrar = new Registrar({
    ...shared,
    describe: () => portrait.registration,
    token: () => node.token(),
    onRegistered: ({ Region }) => {
      portrait.setRegion(Region);
      // They may have lost what they were told before.
      const again = (allocations: Allocations) => allocations.updates().forEach((update) => outbox.put(update));
      held.then(again, () => undefined);
    },
  });
  const outbox = new Outbox({ ...shared, registrar });
  return { registrar, outbox, jobs: new JobCache({ ...shared, registrar }) };
}

interface HostParts extends Links {
  readonly orchestrator: Orchestrator;
  readonly portrait: SelfPortrait;
  readonly changes: Changes;
  readonly vault: VaultHost | undefined;
  readonly signal: AbortSignal;
}

/** What the allocations need of the agent. */
function hostOf(options: ClientOptions, parts: HostParts): AllocationHost {
  const { settings, self, node, drivers, dataFolder, logs, environment, allowsScriptChecks } = options;
  const { orchestrator, portrait, changes, outbox, jobs, vault, signal } = parts;
  const { artifactLimits, artifactMirrors, deniedEnvironment, garbage } = settings;
  return {
    ...{ dataFolder, logs, environment, allowsScriptChecks, vault },
    ...{ clock: options.clock, chance: options.chance, log: options.log },
    node: portrait.facts,
    drivers: new Map(drivers.map((driver) => [driver.name, driver])),
    job: (version) => jobs.get(version, signal),
    identity: async (AllocationID, Task, Name) => {
      const { Token, Expires } = await orchestrator.identity({ NodeID: self.id, AllocationID, Task, Name }, signal);
      return { token: Token, expires: Expires };
    },
    services: node.tasks,
    consul: consulReads({ node, nodeName: self.name, token: () => settings.consulToken ?? node.token() }),
    report: (update) => {
      outbox.put(update);
      changes.tell(update.ID);
    },
    ...(artifactLimits ? { artifactLimits } : {}),
    ...(artifactMirrors ? { artifactMirrors } : {}),
    ...(deniedEnvironment ? { deniedEnvironment } : {}),
    ...(garbage ? { garbage } : {}),
  };
}

interface Running extends Links {
  readonly orchestrator: Orchestrator;
  readonly portrait: SelfPortrait;
  readonly allocations: Allocations;
  readonly signal: AbortSignal;
}

/** Resolves when all have ended, which they do at the abort. */
async function startLoops(options: ClientOptions, running: Running): Promise<void> {
  const { self, node, clock, chance, log } = options;
  const { orchestrator, registrar, outbox, portrait, allocations, signal } = running;
  const feed = new Feed({
    ...{ nodeId: self.id, orchestrator, registrar, clock, chance, log },
    take: (wanted) => allocations.set(wanted),
    wait: () => pollWait(allocations),
  });
  // Without a token of its own the node is nobody to the servers.
  const joined = async () => {
    // Where no server is reached it may never be ready, and has to end all the same.
    await Promise.race([node.ready().catch(() => undefined), once(signal, "abort")]);
    if (signal.aborted) return;
    await Promise.all([registrar.run(signal), feed.run(signal)]);
  };
  await Promise.all([
    joined(),
    outbox.run(signal),
    portrait.follow(() => registrar.compare(), signal),
    stopWhenDisconnected({ feed, allocations, clock, log, signal }),
    removeLeftServices(node.tasks, allocations.ids(), log),
  ]);
}
