import { isObject } from "../objects.ts";

/** A secret's versions, without what they hold. Times are milliseconds since 1970. */
export interface SecretHistory {
  readonly created: number;
  readonly updated: number;
  /** The newest version; 0 where there was none yet. */
  readonly current: number;
  /** The oldest version kept, once older ones were dropped; 0 before. */
  readonly oldest: number;
  readonly versions: Readonly<Record<number, VersionState>>;
  readonly settings: SecretSettings;
}

export interface VersionState {
  readonly created: number;
  /** When it counts as deleted; it may lie ahead. */
  readonly deletion?: number;
  /** What it held is gone for good. */
  readonly destroyed: boolean;
}

/** Of one secret; and of the whole engine, without `custom`. */
export interface SecretSettings {
  /** 0 leaves it to the engine, and there to {@link defaultVersions}. */
  readonly maxVersions: number;
  readonly casRequired: boolean;
  /** Seconds after which a version counts as deleted; 0 for never (of a secret: for what the engine says), below 0 for never. */
  readonly deleteAfter: number;
  readonly custom?: Readonly<Record<string, string>>;
}

export const noSettings: SecretSettings = { maxVersions: 0, casRequired: false, deleteAfter: 0 };

export const defaultVersions = 10;
/** The records of so many versions still fit beside the largest secret. */
export const mostVersions = 1_000;
/** Versions that one write drops at most, where many are to go since `max_versions` was lowered. */
const dropsAtOnce = 50;

export function newHistory(now: number): SecretHistory {
  return { created: now, updated: now, current: 0, oldest: 0, versions: {}, settings: noSettings };
}

/** One version more, and which of the older ones are dropped with it. */
export function withVersion(history: SecretHistory, engine: SecretSettings, now: number) {
  const current = history.current + 1;
  const after = deletionDelay(engine.deleteAfter, history.settings.deleteAfter);
  const state: VersionState = { created: now, destroyed: false, ...(after > 0 && { deletion: now + after * 1_000 }) };
  const kept = history.settings.maxVersions || engine.maxVersions || defaultVersions;
  const dropped = numbersOf(history)
    .filter((number) => number <= current - kept)
    .slice(0, dropsAtOnce);
  const versions = Object.fromEntries(
    Object.entries(history.versions).filter(([number]) => !dropped.includes(Number(number))),
  );
  const lastDropped = dropped.at(-1);
  return {
    history: {
      ...history,
      ...(history.current === 0 && { created: now }),
      updated: now,
      current,
      oldest: lastDropped === undefined ? history.oldest : lastDropped + 1,
      versions: { ...versions, [current]: state },
    } satisfies SecretHistory,
    dropped,
  };
}

/** Deletes, so that it can be undone; of versions that are gone or destroyed nothing happens. */
export function withDeleted(history: SecretHistory, numbers: readonly number[], now: number): SecretHistory {
  return mapVersions(history, numbers, now, (state) => (isGone(state, now) ? state : { ...state, deletion: now }));
}

export function withUndeleted(history: SecretHistory, numbers: readonly number[], now: number): SecretHistory {
  return mapVersions(history, numbers, now, ({ created, destroyed, deletion }) =>
    destroyed && deletion !== undefined ? { created, destroyed, deletion } : { created, destroyed },
  );
}

export function withDestroyed(history: SecretHistory, numbers: readonly number[], now: number): SecretHistory {
  return mapVersions(history, numbers, now, (state) => ({ ...state, destroyed: true }));
}

/** Versions, oldest first. */
export function numbersOf({ versions }: SecretHistory): readonly number[] {
  return Object.keys(versions)
    .map(Number)
    .sort((a, b) => a - b);
}

/** Whether what the version holds is not told: deleted or destroyed. */
export function isGone({ destroyed, deletion }: VersionState, now: number): boolean {
  return destroyed || (deletion !== undefined && deletion <= now);
}

/** Reads what {@link encodeHistory} wrote. */
export function decodeHistory(value: Uint8Array): SecretHistory {
  return JSON.parse(Buffer.from(value).toString());
}

export function encodeHistory(history: SecretHistory): Uint8Array {
  return Buffer.from(JSON.stringify(history));
}

/** JSON Merge Patch (RFC 7396): null takes a field away, objects are merged, all else is put in place. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

function mapVersions(
  history: SecretHistory,
  numbers: readonly number[],
  now: number,
  change: (state: VersionState) => VersionState,
): SecretHistory {
  const wanted = new Set(numbers);
  const versions = Object.entries(history.versions).map(([number, state]): [string, VersionState] => [
    number,
    wanted.has(Number(number)) ? change(state) : state,
  ]);
  return { ...history, updated: now, versions: Object.fromEntries(versions) };
}

function deletionDelay(ofEngine: number, ofSecret: number): number {
  if (ofSecret < 0 || ofEngine < 0) return 0;
  if (ofEngine === 0 || ofSecret === 0) return ofEngine || ofSecret;
  return Math.min(ofEngine, ofSecret);
}
