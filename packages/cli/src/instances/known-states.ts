import type { InstanceList } from "@millwright/engine/instances/list";
import type { InstanceRecord } from "@millwright/engine/instances/record";
import { readRecord, rememberedInstances } from "@millwright/engine/instances/record";
import type { VariableSource } from "@millwright/engine/variables";
import { type Value, dynamicValue } from "@millwright/value/value";
import { type OpenState, readState } from "../terraform/open-state.ts";
import type { Session } from "../terraform/session.ts";
import { instanceSession, type ScopeInput } from "./instance-session.ts";
import { storedOutputs } from "./outputs.ts";

/** How an instance is worked on as it was at its last apply. */
export function rememberedScope(listFolder: string, name: string, listFiles: ReadonlySet<string>): ScopeInput {
  const record = readRecord(listFolder, name);
  const files = record ? { files: record.files } : {};
  return { name, template: record?.template ?? ".", inputs: rememberedInputs(record), listFiles, ...files };
}

/** The inputs of an instance's last apply. */
export function rememberedInputs(record: InstanceRecord | undefined): readonly VariableSource[] {
  return [...(record?.inputs ?? [])].map(([name, value]) => ({ kind: "value", name, value }));
}

/** Names of all instances that are listed, and of those that something is kept of. */
export function knownInstances(listFolder: string, { instances }: InstanceList): ReadonlySet<string> {
  return new Set([...instances.keys(), ...rememberedInstances(listFolder)]);
}

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
      const inside = instanceSession(this.#session, rememberedScope(this.#session.folder, name, this.#listFiles));
      this.#read.set(name, (state = readState(inside, undefined)));
    }
    return state;
  }

  /** Whether an instance holds something, or may: a run that was killed left creates without an answer. */
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
