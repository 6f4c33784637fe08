import type { Configuration } from "@millwright/engine/configuration";
import type { RunRecord, RunWaves } from "@millwright/engine/history/record";
import type { InstanceChange, Plan } from "@millwright/engine/plan";
import { wavesOfPlan } from "@millwright/engine/apply";
import { type BackStep, type WayBack, wayBack } from "@millwright/engine/waves/ways-back";
import type { ApplyCall } from "../terraform/apply-call.ts";
import type { OpenState } from "../terraform/open-state.ts";
import { wrapText } from "../views/style.ts";
import { lastWhole } from "../terraform/destination.ts";
import { takeBack } from "./back.ts";
import type { WaveSettings } from "./settings.ts";
import { WaveRun, waveSettings } from "./wave-run.ts";

/** What is to go in waves, and of which sizes; an empty text is what the folder's file says. */
export interface WavesWanted {
  readonly configuration: Configuration;
  readonly plan: Plan;
  /** Undefined where the flag was not given. */
  readonly sizes: string | undefined;
  /** A run that was killed between its waves. */
  readonly killed?: RunRecord;
}

/** Waves before they begin: what carries them out, and what is shown of them. */
export interface PlannedWaves<T> {
  readonly run: WaveRun<T>;
  readonly shown: string;
}

/** The waves of a plan; "mistake" where something is wrong, which was reported. */
export async function wavesOf(
  call: ApplyCall,
  state: OpenState,
  { configuration, plan, sizes, killed }: WavesWanted,
): Promise<PlannedWaves<InstanceChange> | "mistake"> {
  const { session } = call;
  const { value: settings, diagnostics } = waveSettings(session, sizes ?? restOf(killed?.waves));
  if (!(await session.report(diagnostics))) return "mistake";
  const { waves } = wavesOfPlan(plan, configuration, settings.sizes);
  const before = await lastWhole(state.history);
  const backs = waves.map((wave) => wayBack(wave, before !== undefined));
  const nameOf = ({ address }: InstanceChange) => address.text;
  const run = new WaveRun(session, settings, {
    waves,
    nameOf,
    back: (begun) => {
      const touched = [...new Set(waves.slice(0, begun).flat().map(nameOf))];
      const shown = new Map(backs.slice(0, begun).flatMap(({ steps }) => [...steps]));
      return takeBack(call, state, { touched, shown, before });
    },
    ...(killed?.waves ? { continues: killedText(`Run ${killed.number}`, killed.waves) } : {}),
  });
  const lines = waves.map((wave, at) => ({ what: countText(wave.length, "change"), back: backs[at]! }));
  return { run, shown: renderWaves(lines, settings, session.view.width) };
}

/** What is said of a killed run before it is gone on with; `run` begins the sentence. */
export function killedText(run: string, { begun, count }: RunWaves): string {
  return `${run} was killed in wave ${begun} of ${count}. It is gone on with:`;
}

/** The sizes of what is left of a killed run: the wave that was under way is finished first, with the room that it had. */
export function restOf(killed: RunWaves | undefined): string {
  const { sizes = "", begun = 1 } = killed ?? {};
  const all = sizes.split(",");
  return all.slice(Math.min(begun, all.length) - 1).join(",");
}

const mostShown = 10;

/** What is shown of waves before they are agreed to: what is in each, its way back, and what has none. */
export function renderWaves(
  waves: readonly { readonly what: string; readonly back: WayBack }[],
  settings: WaveSettings,
  width: number,
): string {
  const gates = settings.gates.map(({ name, refusal }) => `${name} (else ${refusal})`).join(", ");
  const lines = [``, `In ${countText(waves.length, "wave")}. Gates between them: ${gates}.`];
  for (const [at, { what, back }] of waves.entries()) {
    const number = String(at + 1).padStart(String(waves.length).length);
    lines.push(`  ${number}: ${what}; back: ${backText(back)}`);
  }
  const without = waves.flatMap(({ back }) => back.without);
  if (without.length > 0) lines.push("", "No way back:");
  for (const { address, why } of without.slice(0, mostShown)) lines.push(`  ${address}: ${why}`);
  if (without.length > mostShown) lines.push(`  and ${without.length - mostShown} more`);
  return `${lines.flatMap((line) => hanging(line, width)).join("\n")}\n`;
}

function hanging(line: string, width: number): string[] {
  const indent = line.startsWith("  ") ? 6 : 0;
  return wrapText(line.trim(), width - indent).map(
    (part, at) => `${" ".repeat(at === 0 ? indent && 2 : indent)}${part}`,
  );
}

function backText({ steps, without }: WayBack): string {
  const counts = new Map<BackStep, number>();
  for (const step of steps.values()) counts.set(step, (counts.get(step) ?? 0) + 1);
  const parts = [...counts].map(([step, count]) => `${step} ${count}`);
  const lost = without.filter(({ address }) => !steps.has(address)).length;
  if (lost > 0) parts.push(`none for ${lost}`);
  return parts.length === 0 ? "nothing to do" : parts.join(", ");
}

/** `1 change`, `3 changes`. */
export function countText(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
