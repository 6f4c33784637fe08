import type { Configuration } from "@millwright/engine/configuration";
import type { RunRecord } from "@millwright/engine/history/record";
import type { InstanceChange, Plan } from "@millwright/engine/plan";
import { wavesOfPlan } from "@millwright/engine/apply";
import { type BackStep, type WayBack, wayBack } from "@millwright/engine/waves/ways-back";
import type { ApplyCall } from "../terraform/apply-call.ts";
import type { OpenState } from "../terraform/open-state.ts";
import { wrapText } from "../views/style.ts";
import { destinationBefore } from "../terraform/destination.ts";
import { WaveRun, waveSettings } from "./wave-run.ts";

/** The waves of a plan: what carries them out, and what is shown of them before. */
export interface PlannedWaves {
  readonly run: WaveRun;
  readonly shown: string;
}

/** What is to go in waves, and of which sizes; an empty text is what the folder's file says. */
export interface WavesWanted {
  readonly configuration: Configuration;
  readonly plan: Plan;
  /** Undefined where the flag was not given. */
  readonly sizes: string | undefined;
  /** A run that was killed between its waves. */
  readonly killed?: RunRecord;
}

/** The waves of a plan; "mistake" where something is wrong, which was reported. */
export async function wavesOf(
  { session }: ApplyCall,
  state: OpenState,
  { configuration, plan, sizes, killed }: WavesWanted,
): Promise<PlannedWaves | "mistake"> {
  const { value: settings, diagnostics } = waveSettings(session, sizes ?? restOf(killed));
  if (!(await session.report(diagnostics))) return "mistake";
  const { waves } = wavesOfPlan(plan, configuration, settings.sizes);
  const before = await destinationBefore(state.history);
  const backs = waves.map((wave) => wayBack(wave, before !== undefined));
  const run = new WaveRun(session, settings, { waves, backs, before, ...(killed ? { resumes: killed } : {}) });
  const gates = settings.gates.map(({ name, refusal }) => `${name} (else ${refusal})`).join(", ");
  return { run, shown: render(waves, backs, gates, session.view.width) };
}

// The wave that was under way is finished first, with the room that it had.
function restOf(killed: RunRecord | undefined): string {
  const { sizes = "", begun = 1 } = killed?.waves ?? {};
  const all = sizes.split(",");
  return all.slice(Math.min(begun, all.length) - 1).join(",");
}

const mostShown = 10;

function render(
  waves: readonly (readonly InstanceChange[])[],
  backs: readonly WayBack[],
  gates: string,
  width: number,
): string {
  const lines = [``, `In ${waves.length} ${waves.length === 1 ? "wave" : "waves"}. Gates between them: ${gates}.`];
  for (const [at, wave] of waves.entries()) {
    const number = String(at + 1).padStart(String(waves.length).length);
    lines.push(`  ${number}: ${countText(wave.length, "change")}; back: ${backText(backs[at]!)}`);
  }
  const without = backs.flatMap((back) => back.without);
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

function countText(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
