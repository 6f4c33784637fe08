import { existsSync, readFileSync } from "node:fs";
import type { Diagnosed } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import { systemClock } from "@millwright/core/ports";
import type { ApplyInput } from "@millwright/engine/apply";
import type { RunRecord } from "@millwright/engine/history/record";
import type { InstanceChange, Plan } from "@millwright/engine/plan";
import type { WaveEnd } from "@millwright/engine/waves/turns";
import { readSizes, sizesText } from "@millwright/engine/waves/sizes";
import type { WayBack } from "@millwright/engine/waves/ways-back";
import { decide } from "@millwright/gates/decide";
import type { Decided, Gate } from "@millwright/gates/gate";
import { sourceFile } from "@millwright/hcl/source-file";
import type { Destination } from "../terraform/destination.ts";
import type { Recording } from "../terraform/recording.ts";
import type { Session } from "../terraform/session.ts";
import { wrapText } from "../views/style.ts";
import { gatesOf } from "./gates.ts";
import { readWaveSettings, usualWaves, type WaveSettings } from "./settings.ts";

/** The file of a folder that says how its changes are carried out in waves. */
export const wavesFile = "waves.hcl";

/** What the folder's file and `-waves=SIZES` say together; the flag's sizes count. */
export function waveSettings(session: Session, sizes: string): Diagnosed<WaveSettings> {
  const path = session.path(wavesFile);
  const read: Diagnosed<WaveSettings> = existsSync(path)
    ? readWaveSettings(sourceFile(wavesFile, readFileSync(path)), session.io.env)
    : { value: usualWaves, diagnostics: [] };
  if (sizes === "" || hasErrors(read.diagnostics)) return read;
  const given = readSizes(sizes);
  return { value: { ...read.value, sizes: given.value }, diagnostics: [...read.diagnostics, ...given.diagnostics] };
}

/** What was shown of the waves before they began. */
export interface PlannedRun {
  readonly waves: readonly (readonly InstanceChange[])[];
  /** For each wave, what takes it back. */
  readonly backs: readonly WayBack[];
  /** The run that going back goes back to; undefined where there is none. */
  readonly before: Destination | undefined;
  /** The run that was killed between its waves, and that this one goes on with. */
  readonly resumes?: RunRecord;
}

/** The waves of one apply: asks the gates between them, and tells what they say. */
export class WaveRun {
  readonly settings: WaveSettings;
  readonly planned: PlannedRun;
  readonly #session: Session;
  readonly #gates: readonly Gate[];
  readonly #over = new AbortController();
  #decided: Decided | undefined;
  #began = 0;
  #recording: Pick<Recording, "wave"> | undefined;

  /** Throws where a gate's client cannot be set up. */
  constructor(session: Session, settings: WaveSettings, planned: PlannedRun) {
    this.settings = settings;
    this.planned = planned;
    this.#session = session;
    this.#gates = gatesOf(settings.gates, { folder: session.folder, env: session.io.env });
  }

  /** What ended the run before its last wave; undefined where nothing did. */
  get ended(): Decided | undefined {
    return this.#decided && this.#decided.decision.kind !== "go" ? this.#decided : undefined;
  }

  get #count(): number {
    return this.planned.waves.length;
  }

  /** Begins to watch; `stop` ends a wait between two waves. Each wave that begins is recorded. */
  async begin(stop: AbortSignal, recording: Pick<Recording, "wave">): Promise<NonNullable<ApplyInput["waves"]>> {
    this.#began = systemClock.now();
    this.#recording = recording;
    await this.#record(1);
    for (const gate of this.#gates) void gate.watch?.(this.#over.signal);
    return { sizes: this.settings.sizes, between: (end) => this.#between(end, stop) };
  }

  /** Ends what watches. */
  end(): void {
    this.#over.abort();
  }

  /** Before the first wave, where an earlier run was killed after one: whether the gates are for going on. */
  async mayResume(plan: Plan, signal: AbortSignal): Promise<boolean> {
    if (!this.planned.resumes) return true;
    this.#began = systemClock.now();
    const { number, waves } = this.planned.resumes;
    await this.#say(`Run ${number} was killed in wave ${waves?.begun} of ${waves?.count}. It is gone on with:`, {
      event: "resume",
    });
    return this.#ask(0, { changed: [], failed: [], checks: plan.checks }, signal);
  }

  async #between({ wave, changed, failed, checks }: WaveEnd, stop: AbortSignal): Promise<boolean> {
    const number = wave + 1;
    const broken = failed.length === 0 ? "" : `, ${failed.length} failed`;
    await this.#say(`Wave ${number} of ${this.#count}: ${changed.length} done${broken}.`, {
      wave: number,
      event: "end",
    });
    if (!(await this.#ask(number, { changed, failed, checks }, stop))) return false;
    await this.#record(number + 1);
    return true;
  }

  // Whether the wave behind that number may begin.
  async #ask(number: number, end: Omit<WaveEnd, "wave">, signal: AbortSignal): Promise<boolean> {
    const view = {
      wave: number,
      waves: this.#count,
      changed: end.changed.map(({ address }) => address.text),
      failed: end.failed.map(({ address }) => address.text),
      conditions: end.checks.map(({ instanceAddress, status, problems }) => ({
        name: instanceAddress,
        status,
        problems,
      })),
      began: this.#began,
      waveEnded: systemClock.now(),
    };
    let said = "";
    const onWait = ({ gate, decision }: Decided) => {
      const text = `${gate}: ${decision.because}`;
      if (text !== said) void this.#say(`  waiting: ${text}`, { wave: number, event: "wait", gate });
      said = text;
    };
    const { patience } = this.settings;
    this.#decided = await decide(this.#gates, view, { clock: systemClock, signal, patience, onWait });
    const { decision } = this.#decided;
    const isGo = decision.kind === "go";
    // All of them were asked, and all are for it.
    const gate = isGo ? this.#gates.map(({ name }) => name).join(", ") : this.#decided.gate;
    const why = isGo && this.#gates.length > 1 ? "all are for it" : decision.because;
    const next = { go: `on to wave ${number + 1}`, wait: "", stop: "no further wave", back: "back" }[decision.kind];
    await this.#say(`  ${next}: ${gate}: ${why}`, { wave: number, event: decision.kind, gate });
    return isGo;
  }

  async #record(begun: number): Promise<void> {
    await this.#recording?.wave({ sizes: sizesText(this.settings.sizes), count: this.#count, begun });
  }

  async #say(text: string, json: Readonly<Record<string, unknown>>): Promise<void> {
    const session = this.#session;
    if (session.json) return session.json.wave(text.trim(), { ...json, waves: this.#count });
    const indent = text.startsWith("  ") ? "    " : "";
    const lines = wrapText(text.trim(), session.view.width - indent.length);
    await session.io.stdout(lines.map((line, at) => `${at === 0 ? indent.slice(2) : indent}${line}\n`).join(""));
  }
}
