import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { messageOf } from "@millwright/core/errors";
import type { ApplyNode } from "../apply/graph.ts";
import type { Graph, Outcome } from "../graph.ts";
import type { CheckResult, InstanceChange } from "../plan/plan.ts";
import type { Waves } from "./partition.ts";

/** A wave that is over: its number from 0, and what came of its changes. */
export interface WaveEnd {
  readonly wave: number;
  readonly changed: readonly InstanceChange[];
  /** Those that failed, and those that were not tried since something before them failed. */
  readonly failed: readonly InstanceChange[];
  /** What came of the conditions so far, with all check blocks as things are now. */
  readonly checks: readonly CheckResult[];
}

/** Is asked after each wave but the last whether the next one begins. A rejection ends the run, with a diagnostic. */
export type BetweenWaves = (end: WaveEnd) => Promise<boolean>;

/** Lets the steps of an apply begin wave by wave. */
export class WaveTurns {
  readonly #waves: Waves;
  readonly #between: BetweenWaves;
  /** Steps of each wave that are not over yet. */
  readonly #left: number[];
  readonly #failed = new Set<InstanceChange>();
  readonly #waiting: { readonly wave: number; readonly begin: (mayBegin: boolean) => void }[] = [];
  #open = 0;
  #hasEnded = false;
  #faults: readonly Diagnostic[] = [];

  constructor(waves: Waves, graph: Graph<ApplyNode>, between: BetweenWaves, stop: AbortSignal) {
    this.#waves = waves;
    this.#between = between;
    this.#left = waves.waves.map(() => 0);
    for (const node of graph.nodes.values()) {
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

  /** Resolves when the step's wave is open: true, or false where the run ends before. */
  enter(node: ApplyNode): Promise<boolean> | boolean {
    const wave = this.#waveOf(node) ?? 0;
    if (this.#hasEnded) return false;
    if (wave <= this.#open) return true;
    return new Promise((begin) => this.#waiting.push({ wave, begin }));
  }

  /** Is told what came of each step. */
  settled(node: ApplyNode, outcome: Outcome): void {
    const wave = this.#waveOf(node);
    if (wave === undefined || wave >= this.#left.length) return;
    if (outcome !== "done" && "change" in node) this.#failed.add(node.change);
    this.#left[wave]!--;
    if (wave === this.#open && this.#left[wave] === 0) void this.#goOn(wave);
  }

  async #goOn(wave: number): Promise<void> {
    if (this.#hasEnded || wave === this.#left.length - 1) return;
    const members = this.#waves.waves[wave]!;
    const changed = members.filter((change) => !this.#failed.has(change));
    const failed = members.filter((change) => this.#failed.has(change));
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

  #waveOf(node: ApplyNode): number | undefined {
    return "change" in node ? this.#waves.waveOf.get(node.change) : undefined;
  }
}
