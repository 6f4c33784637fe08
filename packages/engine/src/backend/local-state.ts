import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Diagnosed } from "@millwright/core/diagnostics";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { parseAddress } from "../parse-address.ts";
import type { InstanceState, ObjectState, State } from "../state.ts";
import { emptyState, isEmptyState, StateBuilder } from "../state.ts";
import { readStateFile } from "../statefile/read.ts";
import type { StateFile } from "../statefile/write.ts";
import { objectPlain, writeStateFile } from "../statefile/write.ts";
import { backendErrors } from "./errors.ts";
import type { JournalRecord, PendingCreate } from "./journal.ts";
import { writePrivateFile } from "./private-file.ts";

/** Where a state's snapshots go, when that is not where they come from. */
export interface LocalStateOptions {
  /** The file that is written; the one that was read stays as it is. */
  readonly out?: string;
  /** Where the file of before a run is kept: by default beside it with `.backup` behind its name, nowhere for `"-"`. */
  readonly backup?: string;
}

/** A state kept in a file on this machine; the caller holds its lock. */
export class LocalState {
  /** The file that is written. */
  readonly path: string;
  readonly #backupPath: string | undefined;
  #current: StateFile;
  #backedUp = false;
  readonly #newLineage: () => string;

  private constructor(path: string, backupPath: string | undefined, current: StateFile, newLineage: () => string) {
    this.path = path;
    this.#backupPath = backupPath;
    this.#current = current;
    this.#newLineage = newLineage;
  }

  /** Reads the file, where there is one. Throws `stateUnreadable` where the file system refuses. */
  static open(path: string, newLineage: () => string, options: LocalStateOptions = {}): Diagnosed<LocalState> {
    const { out = path, backup = `${out}.backup` } = options;
    const none: StateFile = { lineage: "", serial: 0, state: emptyState, terraformVersion: "" };
    const make = (file: StateFile) => new LocalState(out, backup === "-" ? undefined : backup, file, newLineage);
    let text: string;
    try {
      if (!existsSync(path)) return { value: make(none), diagnostics: [] };
      text = readFileSync(path, "utf8");
    } catch (error) {
      throw new OperationalError(
        backendErrors.stateUnreadable,
        `The state ${path} cannot be read: ${messageOf(error)}.`,
        { cause: error },
      );
    }
    if (text.trim() === "") return { value: make(none), diagnostics: [] };
    const read = readStateFile(text, path);
    return { value: make(read.value), diagnostics: read.diagnostics };
  }

  get current(): StateFile {
    return this.#current;
  }

  /** The lineage this state has, or will have once it is written. */
  get lineage(): string {
    if (this.#current.lineage === "") this.#current = { ...this.#current, lineage: this.#newLineage() };
    return this.#current.lineage;
  }

  /**
   * Writes a new snapshot with the next serial, unless it is the same as what is there (and `always` is not asked for, as by
   * one who must make older plans stale). The file of before this run is kept as
   * the backup. Throws `stateUnwritable`, and then the file is as it was.
   */
  write(state: State, when: "changed" | "always" = "changed"): void {
    const { lineage } = this;
    const { serial } = this.#current;
    if (when === "changed") {
      // Where nothing was made there is nothing to remember, and so no file to begin.
      if (!existsSync(this.path) && isEmptyState(state)) return;
      if (existsSync(this.path) && writeStateFile({ lineage, serial, state }) === writeStateFile(this.#current)) return;
    }
    const next: StateFile = { ...this.#current, lineage, serial: serial + 1, state };
    try {
      if (!this.#backedUp && this.#backupPath !== undefined && existsSync(this.path))
        writePrivateFile(this.#backupPath, readFileSync(this.path));
      this.#backedUp = true;
      writePrivateFile(this.path, writeStateFile(next));
    } catch (error) {
      throw new OperationalError(
        backendErrors.stateUnwritable,
        `The state ${this.path} cannot be written: ${messageOf(error)}.`,
        { cause: error },
      );
    }
    this.#current = next;
  }

  /** Goes on under the lineage of a run that was killed before it wrote its first state. */
  adoptLineage(lineage: string, serial: number): void {
    this.#current = { ...this.#current, lineage, serial };
  }

  /** Puts a snapshot where it is not lost when the state itself cannot be written; gives the path, or throws. */
  writeErrored(state: State): string {
    const path = join(dirname(this.path), "errored.tfstate");
    const { lineage } = this;
    writePrivateFile(path, writeStateFile({ lineage, serial: this.#current.serial + 1, state }));
    return path;
  }
}

/**
 * The state with what a killed run had done and could not save any more. A state that was saved on the way and has some or all
 * of it already comes out the same.
 */
export function foldJournal(state: State, record: JournalRecord): State {
  const builder = new StateBuilder(state);
  for (const { address: text, provider, deposedKey, deposes, restores, object } of record.done) {
    const parsed = parseAddress(text);
    if (parsed?.kind !== "instance") continue;
    const { address } = parsed;
    if (deposes !== undefined && !isDeposed(builder.instance(address), deposes, object))
      builder.depose(address, provider, deposes);
    if (restores !== undefined) builder.restoreDeposed(address, provider, restores);
    else if (deposedKey !== undefined) builder.setDeposed(address, provider, deposedKey, object);
    else if (object || deposes === undefined) builder.setCurrent(address, provider, object);
  }
  return builder.snapshot();
}

/** Those of the creates whose objects the state does not hold, be it that it was saved in the very moment before the kill. */
export function openCreates(state: State, pending: readonly PendingCreate[]): readonly PendingCreate[] {
  const builder = new StateBuilder(state);
  return pending.filter(({ address: text }) => {
    const parsed = parseAddress(text);
    return parsed?.kind !== "instance" || !builder.instance(parsed.address)?.current;
  });
}

// Whether the old object was put aside already: it is under its key, or it is gone and the new one is in its place.
function isDeposed(instance: InstanceState | undefined, key: string, made: ObjectState | undefined): boolean {
  if (instance?.deposed.has(key)) return true;
  if (!instance?.current || !made) return false;
  const text = (object: ObjectState) => JSON.stringify(objectPlain(undefined, object, undefined));
  return text(instance.current) === text(made);
}

/** `terraform.tfstate` in a folder: the name people look for. */
export const defaultStateName = "terraform.tfstate";
