import { assertNever, messageOf, OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import { type AliasedCheck, aliasResult } from "./alias.ts";
import type { CheckDefinition, CheckStatus, Probe } from "./check-definition.ts";
import { damp, noStreak, type Streak } from "./damping.ts";
import type { LocalCheck, NodeState } from "./node-state.ts";
import { probeHttp } from "./probe/http.ts";
import type { ProbeContext, ProbeResult } from "./probe/result.ts";
import { probeScript } from "./probe/script.ts";
import { probeTcp } from "./probe/tcp.ts";
import { probeUdp } from "./probe/udp.ts";
import type { Registry } from "./registry.ts";
import type { Timetable } from "./timetable.ts";

export interface CheckRunnerOptions {
  readonly registry: Registry;
  readonly timetable: Timetable;
  readonly nodeName: string;
  /** The checks of another node and each later state of them, until the signal aborts. */
  readonly watchNode: (name: string, signal: AbortSignal) => AsyncIterable<readonly AliasedCheck[]>;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/**
 * Runs the checks that the registry has: starts and stops them as they are registered and removed, and gives the registry
 * their results. The first run comes at a random moment within the interval, so that many do not run together. A check that
 * waits for its first success, as that of a program which is just starting, runs sooner: within {@link soon}, and then after
 * twice the pause before, until it succeeds or the pause is the interval.
 */
export class CheckRunner {
  readonly #options: CheckRunnerOptions;
  readonly #running = new Map<string, { readonly definition: CheckDefinition; readonly stop: AbortController }>();
  readonly #streaks = new Map<string, Streak>();
  readonly #work = new Set<Promise<void>>();
  readonly #stopListening: () => void;

  constructor(options: CheckRunnerOptions) {
    this.#options = options;
    this.#stopListening = options.registry.listen((state, before) => this.#follow(state, before));
    this.#follow(options.registry.state, undefined);
  }

  /** Takes a result that a client or a probe gives, outside of any streak. */
  report(id: string, status: CheckStatus, output: string): void {
    const { clock, chance, registry } = this.#options;
    const now = clock.now();
    const deferUntil = now + outputPause / 2 + Math.floor(chance.fraction() * outputPause);
    registry.dispatch({ kind: "check-result", id, status, output, now, deferUntil });
  }

  /** Ends all runs that are under way, their processes included. */
  async close(): Promise<void> {
    this.#stopListening();
    for (const id of this.#running.keys()) this.#stop(id);
    await Promise.all(this.#work);
  }

  #follow(state: NodeState, before: NodeState | undefined): void {
    if (state.checks === before?.checks && state.services === before.services) return;
    for (const id of [...this.#running.keys()]) if (!state.checks.has(id)) this.#stop(id);
    for (const check of state.checks.values()) {
      const { definition } = check;
      if (this.#running.get(definition.id)?.definition !== definition) this.#start(check);
      else if (before?.checks.get(definition.id) !== check) this.#setDeadlines(check);
    }
    this.#refreshAliases(state);
  }

  #start(check: LocalCheck): void {
    const { definition } = check;
    this.#stop(definition.id);
    const stop = new AbortController();
    this.#running.set(definition.id, { definition, stop });
    const interval = intervalOf(definition.probe);
    const firstPause = waitsForSuccess(check) ? Math.min(soon, interval) : interval;
    if (interval > 0) {
      const run = { definition, pauseIfFailed: firstPause, signal: stop.signal };
      this.#scheduleRun(run, firstPause * this.#options.chance.fraction());
    }
    const { probe } = definition;
    if (probe.kind === "alias" && this.#isRemote(probe.node)) this.#keep(this.#followRemote(definition, stop.signal));
    this.#setDeadlines(check);
  }

  #stop(id: string): void {
    this.#running.get(id)?.stop.abort();
    this.#running.delete(id);
    this.#streaks.delete(id);
    for (const what of ["run", "ttl", "reap"]) this.#options.timetable.delete(`${what}:${id}`);
  }

  #scheduleRun(run: NextRun, pause: number): void {
    const { timetable, clock } = this.#options;
    timetable.set(`run:${run.definition.id}`, clock.monotonic() + pause, () => this.#keep(this.#run(run)));
  }

  async #run({ definition, pauseIfFailed, signal }: NextRun): Promise<void> {
    const result = await this.#probe(definition, signal);
    if (signal.aborted) return;
    const { streak, status } = damp(definition, this.#streaks.get(definition.id) ?? noStreak, result.status);
    this.#streaks.set(definition.id, streak);
    if (status !== undefined) this.report(definition.id, status, result.output);
    const interval = intervalOf(definition.probe);
    const pause = result.status === "critical" ? Math.min(pauseIfFailed, interval) : interval;
    this.#scheduleRun({ definition, pauseIfFailed: 2 * pause, signal }, pause);
  }

  /** What cannot be run is not well: a fault of ours, too, must not leave a check as it was, and never run again. */
  async #probe({ id, probe: how, outputMaxSize }: CheckDefinition, signal: AbortSignal): Promise<ProbeResult> {
    try {
      return await probe(how, { signal, outputMaxSize });
    } catch (error) {
      this.#options.log.write("error", "node: a check could not be run", { check: id, error: messageOf(error) });
      return { status: "critical", output: `The check could not be run: ${messageOf(error)}` };
    }
  }

  #setDeadlines(check: LocalCheck): void {
    const { clock, timetable } = this.#options;
    const { id, probe, serviceId, deregisterAfter } = check.definition;
    // Deadlines are kept as wall-clock times, which outlive the process; the timetable's clock never steps.
    const at = (wallTime: number) => clock.monotonic() + wallTime - clock.now();
    // Before its first result its time runs from the registration.
    if (probe.kind === "ttl" && (check.resultAt !== undefined || !timetable.has(`ttl:${id}`)))
      timetable.set(`ttl:${id}`, at((check.resultAt ?? clock.now()) + probe.ttl), () => this.#expire(id));
    if (check.criticalSince === undefined || deregisterAfter === 0 || serviceId === "") timetable.delete(`reap:${id}`);
    else timetable.set(`reap:${id}`, at(check.criticalSince + deregisterAfter), () => this.#reap(id, serviceId));
  }

  #expire(id: string): void {
    const check = this.#options.registry.state.checks.get(id);
    if (!check || check.status === "critical") return;
    this.#options.log.write("warn", "node: a TTL check was not renewed in time", { check: id });
    this.report(
      id,
      "critical",
      `TTL expired${check.output === "" ? "" : ` (last output before timeout follows): ${check.output}`}`,
    );
  }

  #reap(id: string, serviceId: string): void {
    const { registry, log } = this.#options;
    if (registry.state.checks.get(id)?.criticalSince === undefined) return;
    log.write("info", "node: deregistered a service that was critical for too long", { service: serviceId, check: id });
    registry.dispatch({ kind: "service-deregistered", id: serviceId });
  }

  #isRemote(node: string): boolean {
    return node !== "" && node !== this.#options.nodeName;
  }

  #refreshAliases(state: NodeState): void {
    for (const { definition } of state.checks.values()) {
      const { probe } = definition;
      if (probe.kind !== "alias" || this.#isRemote(probe.node)) continue;
      const { status, output } = localAlias(state, definition.id, probe.serviceId);
      const known = state.checks.get(definition.id);
      if (known?.status !== status || known.output !== output) this.report(definition.id, status, output);
    }
  }

  async #followRemote(definition: CheckDefinition, signal: AbortSignal): Promise<void> {
    const { probe } = definition;
    if (probe.kind !== "alias") return;
    const { watchNode, clock } = this.#options;
    while (!signal.aborted) {
      try {
        for await (const checks of watchNode(probe.node, signal)) {
          const { status, output } = aliasResult(probe.serviceId, checks);
          this.report(definition.id, status, output);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof OperationalError)) throw error;
        this.report(definition.id, "critical", `The health of node ${probe.node} cannot be read: ${messageOf(error)}`);
      }
      await clock.sleep(aliasPause, signal).catch(() => undefined);
    }
  }

  #keep(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => {
        this.#options.log.write("error", "node: a check could not be run", { error: messageOf(error) });
      })
      .finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }
}

/** An output that changed alone is sent about this much later: between a half and one and a half of it. */
const outputPause = 300_000;
const aliasPause = 10_000;

/** Milliseconds within which a check runs first where its success is waited for. */
const soon = 250;

interface NextRun {
  readonly definition: CheckDefinition;
  /** Milliseconds after it until the one after it, where it fails. */
  readonly pauseIfFailed: number;
  readonly signal: AbortSignal;
}

// One that was found again with a result is not new, and comes together with all others of its node.
function waitsForSuccess({ status, output }: LocalCheck): boolean {
  return status !== "passing" && output === "";
}

function probe(how: Probe, context: ProbeContext): Promise<ProbeResult> {
  switch (how.kind) {
    case "http":
      return probeHttp(how, context);
    case "tcp":
      return probeTcp(how, context);
    case "udp":
      return probeUdp(how, context);
    case "script":
      return probeScript(how, context);
    case "ttl":
    case "alias":
    case "maintenance":
      throw new Error(`a check of the kind ${how.kind} is not run`);
    default:
      return assertNever(how);
  }
}

function intervalOf(how: Probe): number {
  return "interval" in how ? how.interval : 0;
}

function localAlias(state: NodeState, ownId: string, serviceId: string): ProbeResult {
  if (serviceId !== "" && !state.services.has(serviceId))
    return { status: "critical", output: `Service ${serviceId} could not be found on this node.` };
  const others = [...state.checks.values()].filter(({ definition }) => definition.id !== ownId);
  return aliasResult(
    serviceId,
    others.map(({ definition, status }) => ({ id: definition.id, serviceId: definition.serviceId, status })),
  );
}
