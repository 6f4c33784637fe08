import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "@millwright/core/errors";
import type { Clock, Log } from "@millwright/core/ports";
import { encodeCheck, parseCheck, parseStatus } from "./check-definition.ts";
import { damaged, KeptFile, readKept } from "./kept-file.ts";
import { maintenanceCheck } from "./maintenance.ts";
import type { LocalCheck, LocalService, NodeState, Origin } from "./node-state.ts";
import type { Registry } from "./registry.ts";
import { encodeService, parseService } from "./service-definition.ts";
import { WireFields, WireMistake } from "@millwright/text/wire-fields";

/** Keeps a node's registrations and results in its data folder. */
export interface Keeper {
  /** Resolves when all that is registered now is on disk. */
  flush(): Promise<void>;
  /** Writes the newest results, and ends. */
  close(): Promise<void>;
}

/** A node without a data folder: nothing outlives the process. */
export const keepNothing: Keeper = { flush: async () => undefined, close: async () => undefined };

const resultPause = 1_000;

/**
 * Gives the registry what the data folder keeps (`registrations.json`, with tokens, and `results.json`; both for this user
 * alone), and writes each change there. What is registered already, by the configuration, wins over what was kept. Rejects
 * with `badConfiguration` where a file is damaged.
 */
export async function openKeeper(options: {
  readonly dataFolder: string;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<Keeper> {
  const { registry, clock, log } = options;
  const folder = join(options.dataFolder, "node");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const paths = { registrations: join(folder, "registrations.json"), results: join(folder, "results.json") };
  await restore(paths, registry);
  const registrations = new KeptFile(paths.registrations, clock, () => encodeRegistrations(registry.state));
  const results = new KeptFile(paths.results, clock, () => encodeResults(registry.state));
  const closing = new AbortController();
  const complain = (error: unknown) => log.write("error", "node: not kept", { error: messageOf(error) });
  const stop = registry.listen((state, before) => {
    if (isRegistered(state, before)) registrations.write().catch(complain);
    if (state.checks === before.checks) return;
    if (hasOtherStatus(state, before)) results.write().catch(complain);
    else results.writeSoon(resultPause, closing.signal);
  });
  return {
    flush: () => registrations.write(),
    close: async () => {
      stop();
      closing.abort();
      await Promise.all([registrations.write(), results.write()]).catch(complain);
    },
  };
}

function isRegistered(state: NodeState, before: NodeState): boolean {
  return differs(state.services, before.services) || differs(state.checks, before.checks);
}

type Registered = { readonly definition: unknown; readonly origin: unknown };

function differs(now: ReadonlyMap<string, Registered>, before: ReadonlyMap<string, Registered>): boolean {
  if (now === before) return false;
  if (now.size !== before.size) return true;
  for (const [id, item] of now) if (before.get(id)?.definition !== item.definition) return true;
  return false;
}

function hasOtherStatus(state: NodeState, before: NodeState): boolean {
  for (const [id, check] of state.checks) if (before.checks.get(id)?.status !== check.status) return true;
  return false;
}

function encodeRegistrations({ services, checks }: NodeState): object {
  const kept = <T extends LocalService | LocalCheck>(items: ReadonlyMap<string, T>) =>
    [...items.values()].filter(({ origin }) => origin.from !== "configuration");
  return {
    Services: kept(services).map(({ definition, origin }) => ({
      ...encodeOrigin(origin),
      Service: encodeService(definition),
    })),
    Checks: kept(checks).map(({ definition, origin }) => ({ ...encodeOrigin(origin), Check: encodeCheck(definition) })),
  };
}

function encodeResults({ checks }: NodeState): object {
  const entries = [...checks].map(([id, { status, output, criticalSince, resultAt }]) => [
    id,
    { Status: status, Output: output, CriticalSince: criticalSince, ResultAt: resultAt },
  ]);
  return Object.fromEntries(entries);
}

async function restore(
  paths: { readonly registrations: string; readonly results: string },
  registry: Registry,
): Promise<void> {
  const registrations = await readKept(paths.registrations);
  const results = await readKept(paths.results);
  try {
    if (registrations !== undefined) restoreRegistrations(registrations, registry);
  } catch (error) {
    throw error instanceof WireMistake ? damaged(paths.registrations, error) : error;
  }
  try {
    if (results !== undefined) restoreResults(results, registry);
  } catch (error) {
    throw error instanceof WireMistake ? damaged(paths.results, error) : error;
  }
}

function restoreRegistrations(kept: unknown, registry: Registry): void {
  const fields = new WireFields(kept, "the file");
  for (const item of fields.list("Services")) {
    const record = new WireFields(item, "a kept service");
    const origin = parseOrigin(record);
    const { service } = parseService(record.raw("Service"));
    if (registry.state.services.has(service.id)) continue;
    registry.dispatch({ kind: "service-registered", service, checks: [], origin, replaceChecks: false });
  }
  for (const item of fields.list("Checks")) {
    const record = new WireFields(item, "a kept check");
    const origin = parseOrigin(record);
    const wire = record.raw("Check");
    const check = new WireFields(wire, "a kept check");
    const isMaintenance = check.has("Maintenance");
    const definition = isMaintenance
      ? maintenanceCheck(check.text("ServiceID"), check.text("Notes"))
      : parseCheck(wire, { serviceId: "", id: "", name: "" });
    if (registry.state.checks.has(definition.id)) continue;
    registry.dispatch({ kind: "check-registered", check: definition, origin });
  }
}

function encodeOrigin({ from, token }: Origin): object {
  return { ...(from === "task" ? { Task: true } : {}), Token: token };
}

function parseOrigin(record: WireFields): Origin {
  return { from: record.flag("Task") ? "task" : "api", token: record.text("Token") };
}

function restoreResults(kept: unknown, registry: Registry): void {
  const known = new WireFields({ results: kept }, "the file");
  for (const [id, value] of known.entries("results")) {
    const result = new WireFields(value, "a kept result");
    const status = parseStatus(result.text("Status")) ?? "critical";
    const criticalSince = result.has("CriticalSince") ? { criticalSince: result.whole("CriticalSince") } : {};
    const resultAt = result.has("ResultAt") ? { resultAt: result.whole("ResultAt") } : {};
    const output = result.text("Output");
    registry.dispatch({ kind: "result-restored", id, status, output, ...criticalSince, ...resultAt });
  }
}
