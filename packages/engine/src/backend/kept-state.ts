import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Diagnosed } from "@millwright/core/diagnostics";
import { isKind, OperationalError } from "@millwright/core/errors";
import { mergeParts, noParts, type OwnParts } from "../parts/merge.ts";
import type { State } from "../state.ts";
import { emptyState, isEmptyState } from "../state.ts";
import { readStateFile } from "../statefile/read.ts";
import type { StateFile } from "../statefile/write.ts";
import { writeStateFile } from "../statefile/write.ts";
import { backendErrors } from "./errors.ts";
import { Journal } from "./journal-place.ts";
import { makeFolderOf } from "./local-storage.ts";
import type { PartsHold } from "./parts-hold.ts";
import { writePrivateFile } from "./private-file.ts";
import type { Sealing } from "./sealing.ts";
import type { StateSlot } from "./storage.ts";

/** Where a run takes its state from, and where it puts it. */
export interface StatePlaces {
  readonly from: StateSlot;
  /** The same as `from` but for `-state-out`. */
  readonly to: StateSlot;
  /** Keeps what was at `to` before the first write. */
  readonly backup?: StateSlot;
  /**
   * A path on this machine that the run's own files are named after: its journal lies beside it, and `errored.tfstate` in the
   * folder of the run. For a state in a file it is that file.
   */
  readonly runPath: string;
  /** Where `errored.tfstate` goes. */
  readonly folder: string;
}

export interface KeptStateOptions {
  readonly sealing: Sealing;
  readonly newLineage: () => string;
  readonly signal: AbortSignal;
  /** How this run sees what it reads; as it is written by default. */
  readonly seen?: (state: State) => State;
  /** Where others may write their parts of the state meanwhile: then only this run's own are written. */
  readonly shared?: PartsHold;
}

/** What a slot holds, opened. */
interface Stored {
  readonly plain: Uint8Array;
  /** Whether it is sealed as it would be now. */
  readonly isCurrent: boolean;
}

function readSeen(
  { seen = (state) => state }: KeptStateOptions,
  plain: Uint8Array,
  place: string,
): Diagnosed<StateFile> {
  const { value, diagnostics } = readStateFile(Buffer.from(plain).toString("utf8"), place);
  return { value: { ...value, state: seen(value.state) }, diagnostics };
}

async function opened(sealing: Sealing, bytes: Uint8Array, place: string): Promise<Uint8Array> {
  try {
    return await sealing.open(bytes);
  } catch (error) {
    if (!isKind(error, backendErrors.sealUnopened)) throw error;
    throw new OperationalError(
      backendErrors.sealUnopened,
      `The state ${place} cannot be decrypted: ${error.message} Check passphrases and keys. Nothing was written.`,
      { cause: error },
    );
  }
}

/** A state as one run reads and writes it; the caller holds its lock. */
export class KeptState {
  /** What is under way for this state on this machine. */
  readonly journal: Journal;
  readonly #places: StatePlaces;
  readonly #options: KeptStateOptions;
  #current: StateFile;
  /** What is at `to` now; undefined where there is nothing. */
  #there: Stored | undefined;
  #backedUp = false;
  #own = noParts;

  private constructor(places: StatePlaces, options: KeptStateOptions, current: StateFile, there: Stored | undefined) {
    this.#places = places;
    this.#options = options;
    this.#current = current;
    this.#there = there;
    this.journal = new Journal(places.runPath, options.sealing);
  }

  /** Reads the state, where there is one. Rejects with `stateUnreadable`, `sealUnopened`. */
  static async open(places: StatePlaces, options: KeptStateOptions): Promise<Diagnosed<KeptState>> {
    const { from, to } = places;
    const { sealing, signal } = options;
    const read = async (slot: StateSlot): Promise<Stored | undefined> => {
      const bytes = await slot.read(signal);
      if (!bytes) return undefined;
      const plain = await opened(sealing, bytes, slot.place);
      return { plain, isCurrent: sealing.isCurrent(bytes) };
    };
    const source = await read(from);
    const there = from === to ? source : await read(to);
    const none: StateFile = { lineage: "", serial: 0, state: emptyState, terraformVersion: "" };
    const file = source ? readSeen(options, source.plain, from.place) : { value: none, diagnostics: [] };
    return { value: new KeptState(places, options, file.value, there), diagnostics: file.diagnostics };
  }

  /** Where it is written, for people. */
  get place(): string {
    return this.#places.to.place;
  }

  get current(): StateFile {
    return this.#current;
  }

  /** The lineage this state has, or will have once it is written. */
  get lineage(): string {
    if (this.#current.lineage === "") this.#current = { ...this.#current, lineage: this.#options.newLineage() };
    return this.#current.lineage;
  }

  /**
   * Writes a new snapshot with the next serial, unless it is the same as what is there (and `always` is not asked for, as by
   * one who must make older plans stale). What was there before this run is kept as the backup. Rejects with
   * `stateUnwritable`, and then the state is as it was.
   */
  async write(state: State, when: "changed" | "always" = "changed"): Promise<void> {
    const { shared } = this.#options;
    if (shared) return this.#merge(state, shared);
    const { lineage } = this;
    const { serial } = this.#current;
    // What is sealed with a key that is to be used no more is written again.
    if (when === "changed" && this.#there?.isCurrent !== false) {
      // Where nothing was made there is nothing to remember, and so no state to begin.
      if (!this.#there && isEmptyState(state)) return;
      if (this.#there && writeStateFile({ lineage, serial, state }) === writeStateFile(this.#current)) return;
    }
    await this.put({ ...this.#current, lineage, serial: serial + 1, state });
  }

  /** Says which parts of a shared state are this run's own from now on: it holds them. */
  own(parts: OwnParts): void {
    this.#own = parts;
  }

  /** Reads a shared state again. Rejects with `stateUnreadable`. */
  async reread(): Promise<void> {
    this.#current = (await this.#newest()).file;
  }

  // Written only where nobody wrote in between; else the newest is there to be merged with anew.
  async #merge(state: State, shared: PartsHold): Promise<void> {
    for (;;) {
      const { bytes, file } = await this.#newest();
      const merged = { ...file, state: mergeParts(file.state, state, this.#own) };
      this.#current = file;
      if (writeStateFile(merged) === writeStateFile(file)) return;
      const next = { ...merged, serial: file.serial + 1 };
      const plain = Buffer.from(writeStateFile(next));
      if (!(await shared.replace(bytes, await this.#options.sealing.seal(plain)))) continue;
      this.#there = { plain, isCurrent: true };
      this.#current = next;
      return;
    }
  }

  async #newest(): Promise<{ readonly bytes: Uint8Array; readonly file: StateFile }> {
    const { to } = this.#places;
    // Read also at the end of a run that was interrupted.
    const bytes = await to.read(new AbortController().signal);
    if (!bytes) throw new OperationalError(backendErrors.stateUnwritable, `The state ${to.place} is gone meanwhile.`);
    const plain = await opened(this.#options.sealing, bytes, to.place);
    const { value, diagnostics } = readSeen(this.#options, plain, to.place);
    const wrong = diagnostics.find(({ severity }) => severity === "error");
    if (wrong) throw new OperationalError(backendErrors.stateUnreadable, wrong.detail);
    return { bytes, file: value };
  }

  /** Writes a whole state file as it is, with its own lineage and serial. */
  async put(file: StateFile): Promise<void> {
    const { to, backup } = this.#places;
    const { sealing } = this.#options;
    if (!this.#backedUp && backup && this.#there) await backup.write(await sealing.seal(this.#there.plain));
    this.#backedUp = true;
    const plain = Buffer.from(writeStateFile(file));
    await to.write(await sealing.seal(plain));
    this.#there = { plain, isCurrent: true };
    this.#current = file;
  }

  /** Goes on under the lineage of a run that was killed before it wrote its first state. */
  adoptLineage(lineage: string, serial: number): void {
    this.#current = { ...this.#current, lineage, serial };
  }

  /** Puts a snapshot where it is not lost when the state itself cannot be written; gives the path, or rejects. */
  async writeErrored(state: State): Promise<string> {
    const path = join(this.#places.folder, "errored.tfstate");
    const { lineage } = this;
    // Beside its own parts what others had written of a shared state when it was read last.
    const whole = this.#options.shared ? mergeParts(this.#current.state, state, this.#own) : state;
    const file = { lineage, serial: this.#current.serial + 1, state: whole };
    writePrivateFile(path, await this.#options.sealing.seal(Buffer.from(writeStateFile(file))));
    return path;
  }

  /** Makes the folder on this machine that the run's own files lie in, before the first of them is written. */
  makeRunFolder(): void {
    const { runPath } = this.#places;
    if (!existsSync(dirname(runPath))) makeFolderOf(runPath);
  }
}
