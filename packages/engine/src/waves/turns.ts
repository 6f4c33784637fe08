import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { messageOf } from "@millwright/core/errors";
import type { Outcome } from "../graph.ts";
import type { CheckResult } from "../plan/plan.ts";
import type { Waves } from "./partition.ts";

/** A wave that is over: its number from 0, and what came of its steps. */
export interface WaveEnd<T> {
  readonly wave: number;
  readonly changed: readonly T[];
  /** Those that failed, and those that were not tried since something before them failed. */
  readonly failed: readonly T[];
  /** What came of the conditions so far, with all check blocks as things are now. */
  readonly checks: readonly CheckResult[];
}

/** Is asked after each wave but the last whether the next one begins. A rejection ends the run, with a diagnostic. */
export type BetweenWaves<T> = (end: WaveEnd<T>) => Promise<boolean>;

/** What is walked in waves: all nodes of the walk, and which of them are parts of which step. */
export interface WavedWalk<N, T> {
  readonly nodes: Iterable<N>;
  stepOf(node: N): T | undefined;
}

/** Lets the nodes of a walk begin wave by wave. */
export class WaveTurns<N, T> {
  readonly #waves: Waves<T>;
  readonly #walk: WavedWalk<N, T>;
  readonly #between: BetweenWaves<T>;
  /** Nodes of each wave that are not over yet. */
  readonly #left: number[];
  readonly #failed = new Set<T>();
  readonly #waiting: { readonly wave: number; readonly begin: (mayBegin: boolean) => void }[] = [];
  #open = 0;
  #hasEnded = false;
  #faults: readonly Diagnostic[] = [];

  constructor(waves: Waves<T>, walk: WavedWalk<N, T>, between: BetweenWaves<T>, stop: AbortSignal) {
    this.#waves = waves;
    this.#walk = walk;
    this.#between = between;
    this.#left = waves.waves.map(() => 0);
    for (const node of walk.nodes) {
      const wave = this.#waveOf(node);
      if (wave !== undefined && wave < this.#left.length) this.#left[wave]!++;
    }
    if (stop.aborted) this.#end();
    else stop.addEventListener("abort", () => this.#end(), { once: true });
  }

  /** How many waves there are. */
  get count(): number {
    return this.#left.length;
  }

  /** How many were begun. */
  get begun(): number {
    return Math.min(this.#open + 1, this.count);
  }

  /** What kept the question between two waves from being answered. */
  get faults(): readonly Diagnostic[] {
    return this.#faults;
  }

  /** Resolves when the node's wave is open: true, or false where the run ends before. */
  enter(node: N): Promise<boolean> | boolean {
    const wave = this.#waveOf(node) ?? 0;
    if (this.#hasEnded) return false;
    if (wave <= this.#open) return true;
    return new Promise((begin) => this.#waiting.push({ wave, begin }));
  }

  /** Is told what came of each node. */
  settled(node: N, outcome: Outcome): void {
    const step = this.#walk.stepOf(node);
    const wave = this.#waveOf(node);
    if (wave === undefined || wave >= this.#left.length) return;
    if (outcome !== "done" && step !== undefined) this.#failed.add(step);
    this.#left[wave]!--;
    if (wave === this.#open && this.#left[wave] === 0) void this.#goOn(wave);
  }

  async #goOn(wave: number): Promise<void> {
    if (this.#hasEnded || wave === this.#left.length - 1) return;
    const members = this.#waves.waves[wave]!;
    const changed = members.filter((step) => !this.#failed.has(step));
    const failed = members.filter((step) => this.#failed.has(step));
    try {
      if (!(await this.#between({ wave, changed, failed, checks: [] }))) return this.#end();
    } catch (error) {
      // An interrupt ends the question too, and is told as what it is.
      if (this.#hasEnded) return;
      const detail = `Whether wave ${wave + 2} may begin could not be decided: ${messageOf(error)}. Nothing more was begun.`;
      this.#faults = [errorDiagnostic("Wave not begun", detail)];
      return this.#end();
    }
    if (this.#hasEnded) return;
    this.#open = wave + 1;
    const ready = this.#waiting.filter((one) => one.wave <= this.#open);
    this.#waiting.splice(0, this.#waiting.length, ...this.#waiting.filter((one) => one.wave > this.#open));
    for (const { begin } of ready) begin(true);
    // All of it may have been skipped already, since what it needs has failed.
    if (this.#left[this.#open] === 0) await this.#goOn(this.#open);
  }

  #end(): void {
    this.#hasEnded = true;
    for (const { begin } of this.#waiting.splice(0)) begin(false);
  }

  #waveOf(node: N): number | undefined {
    const step = this.#walk.stepOf(node);
    return step === undefined ? undefined : this.#waves.waveOf.get(step);
  }
}
