import { OperationalError } from "@millwright/core/errors";
import { backendErrors } from "../backend/errors.ts";
import type { Sealing } from "../backend/sealing.ts";
import type { RunRecord } from "./record.ts";

/** Where the runs of one state are kept: a small store of named bytes. Rejects with `stateUnreadable` and `stateUnwritable`. */
export interface HistoryPlace {
  /** For people. */
  readonly place: string;
  /** In no order. */
  names(signal: AbortSignal): Promise<readonly string[]>;
  /** Undefined where there is none. */
  read(name: string, signal: AbortSignal): Promise<Uint8Array | undefined>;
  /** When it resolves, the bytes are safe. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** That there is none is no error. */
  remove(name: string): Promise<void>;
}

/** How many runs keep their plans, which a revert needs; the records of older ones stay. */
const plansKept = 50;

/**
 * The runs of one state, newest last. A run is two entries: its record, and its saved plan with the configuration that it was
 * made from (sealed as the state is). Only the holder of the state's lock writes.
 */
export class History {
  readonly #place: HistoryPlace;
  readonly #sealing: Sealing;
  readonly #signal: AbortSignal;

  constructor(place: HistoryPlace, sealing: Sealing, signal: AbortSignal) {
    this.#place = place;
    this.#sealing = sealing;
    this.#signal = signal;
  }

  /** For people. */
  get place(): string {
    return this.#place.place;
  }

  /** Numbers of the runs that are kept, the oldest first. */
  async numbers(): Promise<readonly number[]> {
    const names = await this.#place.names(this.#signal);
    return names.flatMap((name) => numberIn(name, recordSuffix)).sort((a, b) => a - b);
  }

  /** Undefined where there is none of that number. Rejects where it is damaged. */
  async record(number: number): Promise<RunRecord | undefined> {
    const bytes = await this.#place.read(nameOf(number, recordSuffix), this.#signal);
    if (!bytes) return undefined;
    try {
      return JSON.parse(new TextDecoder().decode(await this.#sealing.open(bytes))) as RunRecord;
    } catch (error) {
      if (error instanceof OperationalError) throw error;
      const why = `The record of run ${number} in ${this.place} is damaged. Remove it to go on without it.`;
      throw new OperationalError(backendErrors.stateUnreadable, why, { cause: error });
    }
  }

  /** The records of all runs that are kept, the oldest first. */
  async records(): Promise<readonly RunRecord[]> {
    const all: RunRecord[] = [];
    for (const number of await this.numbers()) {
      const record = await this.record(number);
      if (record) all.push(record);
    }
    return all;
  }

  /** The bytes of a run's saved plan; undefined where they are kept no longer. */
  async plan(number: number): Promise<Uint8Array | undefined> {
    const bytes = await this.#place.read(nameOf(number, planSuffix), this.#signal);
    return bytes && (await this.#sealing.open(bytes));
  }

  /** Keeps a run that begins, and forgets the plan of one that is too old. `make` is given the run's number. */
  async begin(make: (number: number) => RunRecord, plan: Uint8Array): Promise<RunRecord> {
    const numbers = await this.numbers();
    const record = make((numbers.at(-1) ?? 0) + 1);
    await this.#place.write(nameOf(record.number, planSuffix), await this.#sealing.seal(plan));
    await this.#write(record);
    const old = numbers.at(-plansKept);
    if (old !== undefined) await this.#place.remove(nameOf(old, planSuffix));
    return record;
  }

  /** The last run, where it was killed between its first wave and its last. */
  async killedInWaves(): Promise<RunRecord | undefined> {
    const last = (await this.numbers()).at(-1);
    const record = last === undefined ? undefined : await this.record(last);
    return record?.waves && record.ended === undefined ? record : undefined;
  }

  /** Keeps what has become of a run since. */
  async update(record: RunRecord): Promise<void> {
    await this.#write(record);
  }

  async #write(record: RunRecord): Promise<void> {
    const text = `${JSON.stringify(record, undefined, 2)}\n`;
    await this.#place.write(nameOf(record.number, recordSuffix), await this.#sealing.seal(Buffer.from(text)));
  }
}

const recordSuffix = ".json";
const planSuffix = ".plan";

function nameOf(number: number, suffix: string): string {
  return `${String(number).padStart(6, "0")}${suffix}`;
}

function numberIn(name: string, suffix: string): number[] {
  const digits = name.endsWith(suffix) ? name.slice(0, -suffix.length) : "";
  return /^\d{6,}$/.test(digits) ? [Number(digits)] : [];
}
