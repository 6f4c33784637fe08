import { consulVersion } from "@millwright/core/followed-versions";
import { chmod } from "node:fs/promises";
import { OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { DataFolder } from "@millwright/daemon/data-folder";
import { openAllocations } from "../allocation/allocations.ts";
import { agentErrors } from "../errors.ts";
import { openLogs } from "../logs/open-logs.ts";
import { type Client, type ClientNode, openClient } from "./client.ts";
import type { NodeSelf } from "./description.ts";
import { driversOf } from "./drivers.ts";
import type { ClientSettings } from "./settings.ts";

/** What of an agent its part that runs jobs is made from. */
export interface JobParts {
  readonly config: {
    readonly scriptChecks?: "none" | "local" | "all";
    readonly freePortsIfTaken?: boolean;
  };
  readonly folder: DataFolder | undefined;
  readonly identity: Omit<NodeSelf, "discoveryVersion">;
  readonly node: ClientNode;
  /** Gets what ends the parts, to be called from the last to the first. */
  readonly closers: (() => Promise<void>)[];
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** The part of an agent that runs jobs, as the agent uses it. */
export type Jobs = Pick<Client, "http" | "registered" | "stopTasks">;

/**
 * Opens the part of an agent that runs jobs, with this machine's drivers and the log process of the data folder. Rejects with
 * `badConfiguration` where there is no data folder, and as {@link openClient} does.
 */
export async function openJobs(settings: ClientSettings, parts: JobParts): Promise<Jobs> {
  const { config, folder, identity, node, closers, clock, chance, log } = parts;
  if (!folder) {
    const text = "Jobs need a folder for what their tasks write. Give one with -data-dir.";
    throw new OperationalError(agentErrors.badConfiguration, text);
  }
  // Tasks of other users come through it to their own folders; nobody else's files are readable in there.
  if (process.getuid?.() === 0) await chmod(folder.path, 0o711);
  const logs = await openLogs(folder.path, { clock, log });
  let idleLogs: number | undefined;
  closers.push(async () => {
    await logs.close();
    // Without a task it would wait for another agent.
    if (idleLogs !== undefined) endIfThere(idleLogs);
  });
  const client = await openClient({
    ...{ settings, node, logs, openAllocations, clock, chance, log },
    self: { ...identity, discoveryVersion: consulVersion },
    dataFolder: folder.path,
    drivers: driversOf(settings.drivers ?? {}, identity.name),
    environment: process.env,
    // Whoever may run programs as tasks may run them as checks.
    allowsScriptChecks: config.scriptChecks === "all" || settings.drivers?.rawExec === true,
    freePortIfTaken: config.freePortsIfTaken ?? false,
  });
  closers.push(() => client.close());
  return {
    http: client.http,
    registered: () => client.registered(),
    stopTasks: async () => {
      await client.stopTasks();
      const { pid, attached } = await logs.status();
      idleLogs = attached === 0 ? pid : undefined;
    },
  };
}

function endIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
