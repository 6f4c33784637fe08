import { canonical } from "../src/canonical.ts";
import type { Job, JobDraft } from "../src/job.ts";
import { jobShape } from "../src/job.ts";
import type { AnyRecord, Field, Json, Shape } from "../src/shape.ts";
import { fieldsOf } from "../src/shape.ts";

/** A job whose every field says something or nothing by chance, the same one for the same seed. */
export function randomJob(seed: number): Job {
  return canonical({ ...(new Dice(seed).record(jobShape) as JobDraft), id: "j" });
}

class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed * 2_654_435_761 + 1;
  }

  /** From 0 to below `bound` (mulberry32). */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % bound;
  }

  record(shape: Shape): AnyRecord {
    const said = fieldsOf(shape).filter(([name]) => name === shape.label || this.below(3) > 0);
    return Object.fromEntries(said.map(([name, field]) => [name, this.#value(field)]));
  }

  #value(field: Field): unknown {
    switch (field.kind) {
      case "text":
        return this.#text();
      case "whole":
        return this.below(1000);
      case "number":
        return this.below(1000) / 8;
      case "flag":
        return this.below(2) === 1;
      case "duration":
        return this.below(100_000) * 1_000_000_000;
      case "texts":
        return this.#times(() => this.#text());
      case "map":
        return Object.fromEntries(this.#times(() => [this.#text(), this.#text()]));
      case "lists":
        return Object.fromEntries(this.#times(() => [this.#text(), ["a", this.#text()]]));
      case "free":
        return Object.fromEntries(this.#times(() => [this.#text(), this.#json(2)]));
      case "object":
        return this.record(field.shape);
      case "objects":
        return this.#records(field.shape, field.keyed);
    }
  }

  /** A map by label holds each label once. */
  #records(shape: Shape, keyed: boolean): readonly AnyRecord[] {
    const records = this.#times(() => this.record(shape));
    return keyed ? records.map((one, i) => ({ ...one, [shape.label!]: `v${i}` })) : records;
  }

  #json(depth: number): Json {
    const kind = this.below(depth > 0 ? 6 : 4);
    if (kind === 0) return null;
    if (kind === 1) return this.below(2) === 1;
    if (kind === 2) return this.below(1000) / 4;
    if (kind === 3) return this.#text();
    if (kind === 4) return this.#times(() => this.#json(depth - 1));
    return Object.fromEntries(this.#times(() => [this.#text(), this.#json(depth - 1)]));
  }

  #text(): string {
    return ["", "a", "é\n", "${x}", 'q"', "web", "signal"][this.below(7)]!;
  }

  #times<T>(make: () => T): T[] {
    return Array.from({ length: this.below(3) }, make);
  }
}
