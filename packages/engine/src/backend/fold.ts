import { parseAddress } from "../parse-address.ts";
import type { InstanceState, ObjectState, State } from "../state.ts";
import { StateBuilder } from "../state.ts";
import { objectPlain } from "../statefile/write.ts";
import type { JournalRecord, PendingCreate } from "./journal.ts";

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
