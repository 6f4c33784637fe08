import { OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import { runProcess } from "@millwright/process/run";
import { milliseconds } from "@millwright/scheduler/time";
import type { ChangeScript, TemplateChange } from "./template-change.ts";

export interface EffectPorts {
  /** `starting`: it may have seen what was there before. */
  readonly state: () => "running" | "starting" | "other";
  /** Why, as the task's events say it. */
  readonly reasons: { readonly restart: string; readonly signal: string };
  readonly restart: (reason: string, isFailure: boolean) => void;
  readonly signal: (signal: string, reason: string) => Promise<void>;
  /** With what scripts run; undefined where the task's driver has them run nowhere. */
  readonly scripts:
    | {
        readonly environment: Readonly<Record<string, string>>;
        readonly folder: string;
        readonly user: { readonly uid: number; readonly gid: number } | undefined;
      }
    | undefined;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** Does what a change asks for, after its splay. A task that does not run by then finds all new when it starts. */
export async function takeEffect(change: TemplateChange, ports: EffectPorts, signal: AbortSignal): Promise<void> {
  const { effect, splay } = change;
  if (effect.kind === "nothing") return;
  const { clock, chance, state, reasons } = ports;
  await clock.sleep(splay * chance.fraction(), signal);
  while (state() === "starting") await clock.sleep(startingMilliseconds, signal);
  if (state() !== "running") return;
  if (effect.kind === "restart") return ports.restart(reasons.restart, false);
  for (const name of effect.signals) await ports.signal(name, reasons.signal);
  for (const script of effect.scripts) await runScript(script, ports, signal);
}

const startingMilliseconds = 100;

async function runScript(script: ChangeScript, ports: EffectPorts, signal: AbortSignal): Promise<void> {
  const { scripts, log, restart } = ports;
  const line = [script.command, ...script.args].join(" ");
  const failure = scripts ? await scriptFailure(script, scripts, signal) : "scripts run beside raw_exec tasks alone";
  if (failure === undefined) return;
  const text = `Template change script ${JSON.stringify(line)} failed: ${failure}`;
  log.write("error", text);
  if (script.failOnError) restart(text, true);
}

async function scriptFailure(
  { command, args, timeout }: ChangeScript,
  { environment, folder, user }: NonNullable<EffectPorts["scripts"]>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const spec = { command: { kind: "program", argv: [command, ...args] } as const, env: environment, cwd: folder };
  try {
    const options = { timeoutMilliseconds: milliseconds(timeout), signal, keepBytes: 0 };
    const { exit, timedOut } = await runProcess({ ...spec, ...(user ? { user } : {}) }, options);
    if (timedOut) return `it took longer than ${milliseconds(timeout) / 1000} s`;
    if (exit.kind === "signal") return `it was ended by ${exit.signal}`;
    return exit.code === 0 ? undefined : `exit code ${exit.code}`;
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return error.message;
  }
}
