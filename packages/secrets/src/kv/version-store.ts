import { formatJson, parseJson } from "@millwright/clients/json";
import type { Clock } from "@millwright/core/ports";
import type { EngineReply } from "../engine.ts";
import { isObject } from "../objects.ts";
import type { SecretStorage, StorageChange, StorageCondition } from "../storage.ts";
import type { SecretHistory, SecretSettings } from "./history.ts";
import { decodeHistory, encodeHistory, isGone, newHistory, noSettings, numbersOf, withVersion } from "./history.ts";
import { largestSecret } from "./secret-size.ts";

/** What a version holds. */
export type Held = Readonly<Record<string, unknown>>;

/** Decides what is kept as the next version, of what there is; it may be asked again where others write meanwhile. */
export type Keep = (
  history: SecretHistory | undefined,
  held: Held | undefined,
) => { readonly kept: Held } | { readonly refused: EngineReply };

export type Addition =
  | { readonly kind: "written"; readonly history: SecretHistory }
  | { readonly kind: "refused"; readonly reply: EngineReply }
  | { readonly kind: "too-large"; readonly bytes: number };

/**
 * The versions of secrets in storage: `config`, `metadata/PATH` (the history) and `versions/PATH/N` (what a version holds).
 * Every change compares the history that it was made from, and is made again where another came between: each failure is
 * somebody else's success.
 */
export class VersionStore {
  readonly #storage: SecretStorage;
  readonly #clock: Clock;

  constructor(storage: SecretStorage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /** Of the whole engine. */
  async settings(): Promise<SecretSettings> {
    const stored = await this.#storage.get("config");
    return stored ? JSON.parse(Buffer.from(stored.value).toString()) : noSettings;
  }

  async changeSettings(change: Partial<SecretSettings>): Promise<void> {
    for (;;) {
      const stored = await this.#storage.get("config");
      const before: SecretSettings = stored ? JSON.parse(Buffer.from(stored.value).toString()) : noSettings;
      const value = Buffer.from(JSON.stringify({ ...before, ...change }));
      const condition = { path: "config", revision: stored?.revision ?? 0 };
      if (await this.#storage.commit([{ op: "put", path: "config", value }], [condition])) return;
    }
  }

  list(folder: string): Promise<readonly string[]> {
    return this.#storage.list(`metadata/${folder}`);
  }

  async history(path: string): Promise<SecretHistory | undefined> {
    return (await this.#load(path)).history;
  }

  /** A version (0 for the newest) with what it holds, which is nothing where it is gone; nothing at all where there is none. */
  async read(path: string, wanted: number, now: number) {
    for (;;) {
      const { history } = await this.#load(path);
      const number = wanted === 0 ? (history?.current ?? 0) : wanted;
      const state = history?.versions[number];
      if (!history || !state) return undefined;
      if (isGone(state, now)) return { history, number, held: undefined };
      const held = await this.#held(path, number);
      // Where it is not there, it was destroyed or dropped after its history was read.
      if (held) return { history, number, held };
    }
  }

  async addVersion(path: string, engine: SecretSettings, mode: "blind" | "read-before", keep: Keep): Promise<Addition> {
    for (;;) {
      const { history, condition } = await this.#load(path);
      const now = this.#clock.now();
      const current = history?.versions[history.current];
      const isReadable = mode === "read-before" && current !== undefined && !isGone(current, now);
      const held = isReadable ? await this.#held(path, history?.current ?? 0) : undefined;
      const decision = keep(history, held);
      if ("refused" in decision) {
        // A decision over a version that vanished while it was read is no decision.
        if (isReadable && held === undefined) continue;
        return { kind: "refused", reply: decision.refused };
      }
      const value = Buffer.from(formatJson(decision.kept));
      if (value.length > largestSecret) return { kind: "too-large", bytes: value.length };
      const next = withVersion(history ?? newHistory(now), engine, now);
      const changes: readonly StorageChange[] = [
        { op: "put", path: versionPath(path, next.history.current), value },
        putHistory(path, next.history),
        ...next.dropped.map((number): StorageChange => ({ op: "delete", path: versionPath(path, number) })),
      ];
      if (await this.#storage.commit(changes, [condition])) return { kind: "written", history: next.history };
    }
  }

  /** Changes a history that there is; what destroyed versions held is deleted in the same commit. */
  async change(path: string, change: (history: SecretHistory) => SecretHistory): Promise<void> {
    for (;;) {
      const { history, condition } = await this.#load(path);
      if (!history || (await this.#commitChange(path, change(history), condition, history))) return;
    }
  }

  /** As {@link change}, of a secret without versions where there is none. */
  async changeOrMake(path: string, change: (history: SecretHistory) => SecretHistory): Promise<void> {
    for (;;) {
      const { history, condition } = await this.#load(path);
      const before = history ?? newHistory(this.#clock.now());
      const after = change(before);
      if (after === before || (await this.#commitChange(path, after, condition, history))) return;
    }
  }

  /** Removes a secret with all its versions; of many, the oldest go first, in several commits. */
  async remove(path: string): Promise<void> {
    for (;;) {
      const { history, condition } = await this.#load(path);
      if (!history) return;
      const numbers = numbersOf(history);
      const now = numbers.slice(0, deletesAtOnce);
      const deletes = now.map((number): StorageChange => ({ op: "delete", path: versionPath(path, number) }));
      const isLast = now.length === numbers.length;
      const versions = Object.fromEntries(numbers.slice(deletesAtOnce).map((n) => [n, history.versions[n]!]));
      const end: StorageChange = isLast
        ? { op: "delete", path: historyPath(path) }
        : putHistory(path, { ...history, versions });
      if ((await this.#storage.commit([...deletes, end], [condition])) && isLast) return;
    }
  }

  async #commitChange(
    path: string,
    after: SecretHistory,
    condition: StorageCondition,
    before: SecretHistory | undefined,
  ): Promise<boolean> {
    const destroyed = numbersOf(after).filter((n) => after.versions[n]?.destroyed && !before?.versions[n]?.destroyed);
    const batches = Math.max(1, Math.ceil(destroyed.length / deletesAtOnce));
    for (let i = 0, held: StorageCondition = condition; i < batches; i++) {
      const batch = destroyed.slice(i * deletesAtOnce, (i + 1) * deletesAtOnce);
      const deletes = batch.map((number): StorageChange => ({ op: "delete", path: versionPath(path, number) }));
      // The first commit says that all are destroyed; what the later ones delete is read by nobody any more.
      const changes = i === 0 ? [putHistory(path, after), ...deletes] : deletes;
      if (!(await this.#storage.commit(changes, i === 0 ? [held] : []))) return false;
    }
    return true;
  }

  async #load(
    path: string,
  ): Promise<{ readonly history: SecretHistory | undefined; readonly condition: StorageCondition }> {
    const stored = await this.#storage.get(historyPath(path));
    return {
      history: stored && decodeHistory(stored.value),
      condition: { path: historyPath(path), revision: stored?.revision ?? 0 },
    };
  }

  async #held(path: string, number: number): Promise<Held | undefined> {
    const stored = await this.#storage.get(versionPath(path, number));
    const held = stored && parseJson(Buffer.from(stored.value).toString());
    return isObject(held) ? held : undefined;
  }
}

/** Versions that one commit deletes at most. */
const deletesAtOnce = 50;

function putHistory(path: string, history: SecretHistory): StorageChange {
  return { op: "put", path: historyPath(path), value: encodeHistory(history) };
}

function historyPath(path: string): string {
  return `metadata/${path}`;
}

function versionPath(path: string, number: number): string {
  return `versions/${path}/${number}`;
}
