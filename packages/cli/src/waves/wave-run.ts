import { existsSync, readFileSync } from "node:fs";
import type { Diagnosed } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import { systemClock } from "@millwright/core/ports";
import type { RunWaves } from "@millwright/engine/history/record";
import type { CheckResult } from "@millwright/engine/plan";
import type { BetweenWaves, WaveEnd } from "@millwright/engine/waves/turns";
import { readSizes, sizesText, type WaveSize } from "@millwright/engine/waves/sizes";
import { asOne, decide } from "@millwright/gates/decide";
import type { Decided, Gate } from "@millwright/gates/gate";
import { sourceFile } from "@millwright/hcl/source-file";
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

/** How what is begun in waves goes on: {@link BetweenWaves} asks the gates. */
export interface BegunWaves<T> {
  readonly sizes: readonly WaveSize[];
  readonly between: BetweenWaves<T>;
}

/** What is carried out in waves and can be taken back: the changes of a plan, the instances of a list. */
export interface WavedWork<T> {
  readonly waves: readonly (readonly T[])[];
  nameOf(step: T): string;
  /** Takes back what the first waves have done, as it was shown; false where not all of it could be. */
  back(begun: number): Promise<boolean>;
  /** Where something was before the first of these waves, so that the gates are asked before it too: that, in words. */
  readonly continues?: string;
}

/** Keeps that a further wave has begun, so that a killed run can be gone on with there. */
export interface WaveJournal {
  wave(waves: RunWaves): Promise<void>;
}

/** The waves of one apply: asks the gates between them, and tells what they say. */
export class WaveRun<T> {
  readonly settings: WaveSettings;
  readonly work: WavedWork<T>;
  readonly #session: Session;
  readonly #gates: readonly Gate[];
  readonly #over = new AbortController();
  #decided: Decided | undefined;
  #began = 0;
  #journal: WaveJournal | undefined;

  /** Throws where a gate's client cannot be set up. */
  constructor(session: Session, settings: WaveSettings, work: WavedWork<T>) {
    this.settings = settings;
    this.work = work;
    this.#session = session;
    this.#gates = gatesOf(settings.gates, { folder: session.folder, env: session.io.env });
  }

  /** What ended the run before its last wave; undefined where nothing did. */
  get ended(): Decided | undefined {
    return this.#decided && this.#decided.decision.kind !== "go" ? this.#decided : undefined;
  }

  get #count(): number {
    return this.work.waves.length;
  }

  /** Begins to watch; `stop` ends a wait between two waves. Each wave that begins is recorded. */
  async begin(stop: AbortSignal, journal: WaveJournal): Promise<BegunWaves<T>> {
    this.#began = systemClock.now();
    this.#journal = journal;
    await this.#record(1);
    for (const gate of this.#gates) void gate.watch?.(this.#over.signal);
    return { sizes: this.settings.sizes, between: (end) => this.#between(end, stop) };
  }

  /** Ends what watches. */
  end(): void {
    this.#over.abort();
  }

  /** Before the first wave, where it goes on with something: whether the gates are for that. */
  async mayContinue(checks: readonly CheckResult[], signal: AbortSignal): Promise<boolean> {
    const { continues } = this.work;
    if (continues === undefined) return true;
    this.#began = systemClock.now();
    await this.#say(continues, { event: "resume" });
    return this.#ask(0, { changed: [], failed: [], checks }, signal);
  }

  async #between({ wave, changed, failed, checks }: WaveEnd<T>, stop: AbortSignal): Promise<boolean> {
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
  async #ask(number: number, end: Omit<WaveEnd<T>, "wave">, signal: AbortSignal): Promise<boolean> {
    const view = {
      wave: number,
      waves: this.#count,
      changed: end.changed.map(this.work.nameOf),
      failed: end.failed.map(this.work.nameOf),
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
    const { gate, decision } = asOne(this.#decided, this.#gates);
    const next = { go: `on to wave ${number + 1}`, wait: "", stop: "no further wave", back: "back" }[decision.kind];
    await this.#say(`  ${next}: ${gate}: ${decision.because}`, { wave: number, event: decision.kind, gate });
    return decision.kind === "go";
  }

  async #record(begun: number): Promise<void> {
    await this.#journal?.wave({ sizes: sizesText(this.settings.sizes), count: this.#count, begun });
  }

  async #say(text: string, json: Readonly<Record<string, unknown>>): Promise<void> {
    const session = this.#session;
    session.tellJson((view) => view.wave(text.trim(), { ...json, waves: this.#count }));
    if (session.json) return;
    const indent = text.startsWith("  ") ? "    " : "";
    const lines = wrapText(text.trim(), session.view.width - indent.length);
    await session.io.stdout(lines.map((line, at) => `${at === 0 ? indent.slice(2) : indent}${line}\n`).join(""));
  }
}
