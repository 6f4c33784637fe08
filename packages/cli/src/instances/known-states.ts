import { readRecord } from "@millwright/engine/instances/record";
import { type Value, dynamicValue } from "@millwright/value/value";
import { type OpenState, readState } from "../terraform/open-state.ts";
import type { Session } from "../terraform/session.ts";
import { instanceSession } from "./instance-session.ts";
import { storedOutputs } from "./outputs.ts";

/** The states of a list's instances as they are looked at, each read once. */
export class KnownStates {
  /** What outputs are that nobody knows. */
  readonly nothingYet: Value = dynamicValue;
  readonly #session: Session;
  readonly #listFiles: ReadonlySet<string>;
  readonly #read = new Map<string, Promise<OpenState | undefined>>();

  constructor(session: Session, listFiles: ReadonlySet<string>) {
    this.#session = session;
    this.#listFiles = listFiles;
  }

  /** Undefined where it cannot be read, which was reported. */
  state(name: string): Promise<OpenState | undefined> {
    let state = this.#read.get(name);
    if (!state) {
      const template = readRecord(this.#session.folder, name)?.template ?? ".";
      const inside = instanceSession(this.#session, { name, template, inputs: [], listFiles: this.#listFiles });
      this.#read.set(name, (state = readState(inside, undefined)));
    }
    return state;
  }

  /** Whether an instance has anything, or may have: a run that was killed left creates without an answer. */
  async hasObjects(name: string): Promise<boolean> {
    const state = await this.state(name);
    if (!state) return true;
    return state.kept.current.state.resources.size > 0 || (await state.kept.journal.read()) !== undefined;
  }

  /** The outputs of an instance that has been applied. */
  async outputs(name: string): Promise<Value | undefined> {
    const record = readRecord(this.#session.folder, name);
    const state = record && (await this.state(name));
    return state && storedOutputs(state.kept.current.state, record.outputs);
  }
}
