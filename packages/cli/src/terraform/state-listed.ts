import { similar } from "@millwright/core/similar";
import { parseAddress } from "@millwright/engine/parse-address";
import type { ObjectState, StateInstance } from "@millwright/engine/state";
import { instancesOf } from "@millwright/engine/state";
import { covers, withoutKeys } from "@millwright/engine/targets";
import { readState } from "./open-state.ts";
import type { Session } from "./session.ts";

/** One instance of a state with its current object. */
export interface ListedInstance {
  readonly address: string;
  readonly object: ObjectState;
}

/** Which instances of a state are asked for. */
export interface InstancesWanted {
  /** The state file; undefined for the folder's. */
  readonly state: string | undefined;
  /** Addresses that cover them; all, where none is given. */
  readonly addresses: readonly string[];
  /** The `id` they have, where it has to be one. */
  readonly id: string | undefined;
}

/** The instances of a state that are asked for. Undefined where there is no such state, or an address is wrong, which was reported. */
export async function listedInstances(
  session: Session,
  { state: file, addresses, id }: InstancesWanted,
): Promise<readonly ListedInstance[] | undefined> {
  const refuse = async (summary: string, detail: string): Promise<undefined> => {
    await session.report([{ severity: "error", summary, detail }]);
    return undefined;
  };
  const state = await readState(session, file);
  if (!state) return undefined;
  if (state.kept.current.lineage === "")
    return refuse(
      "No state file was found",
      `There is no state at ${state.kept.place}. A state is written by the first apply; name another one with -state=FILE.`,
    );
  for (const text of addresses) if (!parseAddress(text)) return refuse("Invalid address", badAddress(text));
  const all = instancesOf(state.kept.current.state);
  const missing = addresses.find((text) => !all.some(({ address }) => covers(text, address.text)));
  if (missing !== undefined) return refuse("Unknown resource", notInState(missing, all));
  return all.flatMap(({ address: { text: address }, instance: { current: object } }) => {
    if (!object) return [];
    if (addresses.length > 0 && !addresses.some((text) => covers(text, address))) return [];
    return id === undefined || idOf(object) === id ? [{ address, object }] : [];
  });
}

function idOf({ attributes }: ObjectState): unknown {
  if (attributes.form !== "json") return undefined;
  return (JSON.parse(attributes.text) as { readonly id?: unknown } | null)?.id;
}

function notInState(text: string, all: readonly StateInstance[]): string {
  const near = similar(
    text,
    all.flatMap(({ address }) => [address.text, withoutKeys(address.text)]),
  );
  return `The state has no ${text}.${near === undefined ? "" : ` Did you mean ${near}?`} What is new in the configuration is there after the next apply.`;
}

/** What is said of a text that is no address. */
export function badAddress(text: string): string {
  return `"${text}" is not an address. One looks like aws_instance.web, aws_instance.web[0], module.app.aws_instance.web["x"] or module.app.`;
}
