import { runProcess } from "@millwright/process/run";
import type { Gate } from "./gate.ts";
import { Steady, type Steadiness } from "./steady.ts";

export interface CommandProbe {
  /** The program and its arguments; no shell reads them. */
  readonly command: readonly [string, ...string[]];
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds. */
  readonly timeout: number;
}

/** Goes on once a command exits with 0. What it writes is shown where it does not. */
export function commandGate(name: string, probe: CommandProbe, settings: Steadiness): Gate {
  const steady = new Steady(settings);
  return {
    name,
    decide: async (view, signal) => {
      const env = { ...probe.env, MILLWRIGHT_WAVE: String(view.wave), MILLWRIGHT_WAVES: String(view.waves) };
      const { exit, output, timedOut } = await runProcess(
        { command: { kind: "program", argv: probe.command }, cwd: probe.folder, env },
        { timeoutMilliseconds: probe.timeout, signal, keepBytes: 4096 },
      );
      signal.throwIfAborted();
      const [file] = probe.command;
      const good = exit.kind === "code" && exit.code === 0 && !timedOut;
      const said = new TextDecoder().decode(output).trim().split("\n").at(-1) ?? "";
      const how = timedOut
        ? `took more than ${probe.timeout / 1000} s`
        : `ended with ${exit.kind === "code" ? exit.code : exit.signal}`;
      return steady.decide({ good, what: `${file} ${how}${said === "" ? "" : `: ${said}`}` }, view);
    },
  };
}
