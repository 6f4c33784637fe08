import { basename, dirname, join } from "node:path";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { systemChance, systemClock } from "@millwright/core/ports";
import { KeptState, type StatePlaces } from "@millwright/engine/backend/kept-state";
import { LocalSlot } from "@millwright/engine/backend/local-storage";
import { providerSourceText } from "@millwright/engine/addresses";
import type { State } from "@millwright/engine/state";
import { withDefaultRegistry } from "@millwright/engine/tofu-registry";
import type { PlanMode } from "@millwright/engine/plan";
import type { PlanBackend } from "@millwright/engine/plan-file";
import { newLockInfo } from "@millwright/engine/backend/lock-info";
import type { Sealing } from "@millwright/engine/backend/sealing";
import type { PartsHold } from "@millwright/engine/backend/parts-hold";
import { type SharedLock, type SlotLock, takeLock, takeShare } from "@millwright/engine/backend/storage";
import { History } from "@millwright/engine/history";
import { folderPlace } from "@millwright/engine/history/folder-place";
import { productVersion } from "../product.ts";
import { rootSettings } from "./backend/configured.ts";
import { sealingOf } from "./backend/sealing.ts";
import { openPlanned, type OpenStorage, openStorage } from "./backend/storage.ts";
import type { GivenFlag } from "./options.ts";
import { onUnlessGiven } from "./options.ts";
import type { Session } from "./session.ts";

/** Where a state is kept, with the lock of this run on it. */
export interface OpenState {
  readonly kept: KeptState;
  /** Where it is kept, for plans; undefined for a file that was named, and for an instance of a template. */
  readonly backend?: PlanBackend;
  /** The runs that have changed it. */
  readonly history: History;
  /** Aborted when the lock is lost, where that can be told. */
  readonly lost?: AbortSignal;
  /** Where others may work on parts of it meanwhile: what holds this run's own. */
  readonly shared?: SharedState;
  /** Gives the lock back. Rejects where it cannot: then it is still there. */
  release(): Promise<void>;
}

/** A state that others may work on meanwhile. */
export interface SharedState {
  readonly hold: PartsHold;
  /** How long to wait for other holders of parts, in milliseconds. */
  readonly timeout: number;
}

export interface StateLock {
  readonly operation: string;
  readonly timeout: number;
  /** What is held: the whole, or the parts that a run turns out to need, where that can be. The whole by default. */
  readonly scope?: LockScope;
}

export type LockScope = "state" | "parts";

export interface StateOptions {
  /** As on the command line: that file, whatever the folder's backend is. Undefined is what the folder says. */
  readonly path: string | undefined;
  /** What the state is held for while the command runs, and how long to wait for another holder, in milliseconds. */
  readonly lock: StateLock | "none";
  readonly out?: string;
  readonly backup?: string;
  /** Whether the state is changed by hand: then the backup of a file has the time in its name, and none is overwritten. */
  readonly byHand?: true;
  /** The backend of a saved plan, in place of the folder's. */
  readonly backend?: PlanBackend;
  /** All that was typed, since a backend's block may be made from variables. */
  readonly occurrences?: readonly GivenFlag[];
}

/** Takes and reads a state. Undefined where it cannot be read, which was reported. */
export async function openState(session: Session, options: StateOptions): Promise<OpenState | undefined> {
  const { occurrences = [] } = options;
  const sealing = await sealingOf(session, occurrences, "state");
  if (!sealing) return undefined;
  const opened = options.path === undefined ? await storageOf(session, options) : undefined;
  if (options.path === undefined && !opened) return undefined;
  const places = await placesOf(session, options, opened);
  if (!places) {
    await opened?.storage.close();
    return undefined;
  }
  const taken = await take(session, {
    places,
    sealing,
    lock: options.lock,
    close: async () => opened?.storage.close(),
  });
  return taken && { ...taken, ...(opened?.backend ? { backend: opened.backend } : {}) };
}

function storageOf(session: Session, { backend, occurrences = [] }: StateOptions): Promise<OpenStorage | undefined> {
  return backend ? openPlanned(session, backend) : openStorage(session, occurrences);
}

/** Reads a state that is only looked at. */
export async function readState(session: Session, path: string | undefined): Promise<OpenState | undefined> {
  const state = await openState(session, { path, lock: "none" });
  await state?.release();
  return state;
}

interface Taking {
  readonly places: StatePlaces;
  readonly sealing: Sealing;
  readonly lock: StateOptions["lock"];
  close(): Promise<void>;
}

/** Holds a state and reads it. */
export async function take(session: Session, taking: Taking): Promise<OpenState | undefined> {
  const { places, sealing, close } = taking;
  const { signal } = session.io;
  let taken: Awaited<ReturnType<typeof hold>>;
  const release = async () => {
    try {
      await taken?.lock.release();
    } finally {
      await taken?.here?.release();
      await close();
    }
  };
  try {
    taken = await hold(session, places, taking.lock);
    if (taken) session.log.write("debug", "state is held", { place: places.to.place, kind: taken.kind });
    const shared = taken?.kind === "parts" ? taken.lock : undefined;
    const seen = (state: State) => withDefaultRegistry(state, () => askedInFull(session));
    const options = { sealing, newLineage: () => systemChance.uuid(), signal, seen, ...(shared ? { shared } : {}) };
    const read = await KeptState.open(places, options);
    const { serial, lineage } = read.value.current;
    session.log.write("info", "state read", { place: places.from.place, serial, lineage });
    if (await session.report(read.diagnostics))
      return {
        kept: read.value,
        history: new History(folderPlace(places.folder, historyName(places)), sealing, signal),
        release,
        ...(taken?.lock.lost ? { lost: taken.lock.lost } : {}),
        ...(shared && taking.lock !== "none" ? { shared: { hold: shared, timeout: taking.lock.timeout } } : {}),
      };
  } catch (error) {
    await release();
    throw error;
  }
  await release();
  return undefined;
}

/** The providers that the folder's root module asks for by name, as `providerSourceText`. */
function askedInFull(session: Session): ReadonlySet<string> {
  const required = rootSettings(session, [], "always").value?.module.requiredProviders.values() ?? [];
  return new Set([...required].map(({ source }) => providerSourceText(source)));
}

async function hold(
  session: Session,
  { to, runPath }: StatePlaces,
  lock: StateOptions["lock"],
): Promise<(SharedLock & { readonly here?: SlotLock }) | undefined> {
  if (lock === "none") return undefined;
  const { operation, timeout, scope } = lock;
  const ports = { clock: systemClock, chance: systemChance };
  const info = newLockInfo({ operation, version: productVersion, path: to.place }, ports);
  const request = { info, timeout, clock: systemClock, signal: session.io.signal };
  if (scope !== "parts" || !to.share) return { kind: "whole", lock: await takeLock(to, request) };
  // The journal in this folder is of one run at a time: others that share the state work in folders of their own.
  const here = await takeLock(new LocalSlot(runPath, "made"), request);
  try {
    return { ...(await takeShare(to, request)), here };
  } catch (error) {
    await here.release();
    throw error;
  }
}

/** Undefined where the flags do not fit the backend, which was reported. */
async function placesOf(
  session: Session,
  { path, out, backup, byHand }: StateOptions,
  opened: OpenStorage | undefined,
): Promise<StatePlaces | undefined> {
  const { folder } = session;
  if (opened && opened.type !== "local") {
    if (out !== undefined || (backup !== undefined && backup !== "-")) {
      const detail = `The flags -state-out and -backup are for a state in a file, and this folder keeps its state in the backend "${opened.type}". Leave them out; state pull writes a copy of the state.`;
      await session.report([errorDiagnostic("Flag without a meaning", detail)]);
      return undefined;
    }
    const slot = opened.storage.slot(opened.workspace);
    // What a run keeps on this machine lies with the instance where it is of one: others share its folder.
    const runPath = session.instance?.statePath ?? opened.working.runPath(opened.workspace);
    return { from: slot, to: slot, runPath, folder: session.instance ? dirname(runPath) : folder };
  }
  const from = opened ? opened.storage.slot(opened.workspace) : new LocalSlot(session.path(path!));
  const to = out === undefined ? from : new LocalSlot(session.path(out));
  const stamp = byHand ? `.${Math.floor(Date.now() / 1000)}` : "";
  const aside = backup === undefined ? `${to.place}${stamp}.backup` : session.path(backup);
  const kept = backup === "-" ? undefined : new LocalSlot(aside);
  return { from, to, ...(kept ? { backup: kept } : {}), runPath: to.place, folder: dirname(to.place) };
}

/** Where the runs of a state are kept in its folder. */
function historyName({ runPath }: StatePlaces): string {
  return join(".millwright", "history", basename(runPath));
}

/** What is asked for, but that a run about everything there is holds everything. */
export function scopedFor<V extends { readonly target: readonly string[]; readonly "target-file": readonly string[] }>(
  mode: PlanMode,
  values: V,
): V & { readonly "lock-scope"?: string } {
  const isNarrow = values.target.length + values["target-file"].length > 0;
  const needsAll = mode === "refresh-only" || (mode === "destroy" && !isNarrow);
  return needsAll ? { ...values, "lock-scope": "state" } : values;
}

/** The state options that flags ask for. */
export function stateOptions(
  values: {
    readonly state: string | undefined;
    readonly "lock-timeout": number | undefined;
    readonly "lock-scope"?: string | undefined;
    readonly "state-out"?: string | undefined;
    readonly backup?: string | undefined;
  },
  occurrences: readonly GivenFlag[],
  operation: string,
): StateOptions {
  const { state, "state-out": out, backup } = values;
  const timeout = values["lock-timeout"] ?? 0;
  const scope = values["lock-scope"] === "parts" ? "parts" : "state";
  return {
    path: state,
    lock: onUnlessGiven(occurrences, "lock") ? { operation, timeout, scope } : "none",
    occurrences,
    ...(out === undefined ? {} : { out }),
    ...(backup === undefined ? {} : { backup }),
  };
}
