import type { BusyPart, PartsHold, PartsTry, WantedParts } from "../backend/parts-hold.ts";
import type { LockInfo } from "../backend/lock-info.ts";
import type { LockTry, StateSlot } from "../backend/storage.ts";
import type { ShareTry } from "../backend/parts-hold.ts";

/** What several runs share: bytes, and who holds what of them. */
export interface SharedPlace {
  bytes: Uint8Array | undefined;
  readonly whole: Set<MemoryHold | "alone">;
}

/** A state in memory that can be shared; `turn` is awaited before each thing that is done with it. */
export class SharedSlot implements StateSlot {
  readonly place = "memory";
  readonly #at: SharedPlace;
  readonly #turn: (what: string) => Promise<void>;

  constructor(at: SharedPlace, turn: (what: string) => Promise<void>) {
    this.#at = at;
    this.#turn = turn;
  }

  async read(): Promise<Uint8Array | undefined> {
    await this.#turn("read");
    return this.#at.bytes;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#turn("write");
    this.#at.bytes = bytes;
  }

  async lock(info: LockInfo): Promise<LockTry> {
    await this.#turn("lock");
    if (this.#at.whole.size > 0) return { kind: "busy", holder: undefined };
    this.#at.whole.add("alone");
    return { kind: "held", lock: { info, release: async () => void this.#at.whole.delete("alone") } };
  }

  async share(info: LockInfo): Promise<ShareTry> {
    await this.#turn("share");
    if (this.#at.whole.has("alone")) return { kind: "busy", holder: undefined };
    if (!this.#at.bytes) return { kind: "nothing there" };
    const hold = new MemoryHold(this.#at, this.#turn, info);
    this.#at.whole.add(hold);
    return { kind: "held", hold };
  }

  async forceUnlock(): Promise<void> {
    this.#at.whole.clear();
  }
}

class MemoryHold implements PartsHold {
  readonly info: LockInfo;
  readonly changed = new Set<string>();
  readonly read = new Set<string>();
  readonly #at: SharedPlace;
  readonly #turn: (what: string) => Promise<void>;

  constructor(at: SharedPlace, turn: (what: string) => Promise<void>, info: LockInfo) {
    this.#at = at;
    this.#turn = turn;
    this.info = info;
  }

  async hold({ changed, read }: WantedParts): Promise<PartsTry> {
    await this.#turn("hold");
    const others = [...this.#at.whole].filter((one) => one instanceof MemoryHold && one !== this) as MemoryHold[];
    const busy: BusyPart[] = [
      ...changed.filter((part) => others.some((one) => one.changed.has(part) || one.read.has(part))),
      ...read.filter((part) => others.some((one) => one.changed.has(part))),
    ].map((part) => ({ part, holder: undefined }));
    if (busy.length > 0) return { kind: "busy", busy };
    for (const part of changed) this.changed.add(part);
    for (const part of read) this.read.add(part);
    return { kind: "held" };
  }

  async letGo(): Promise<void> {
    await this.#turn("let go");
    this.changed.clear();
    this.read.clear();
  }

  async replace(expected: Uint8Array, bytes: Uint8Array): Promise<boolean> {
    await this.#turn("replace");
    if (Buffer.compare(expected, this.#at.bytes ?? new Uint8Array()) !== 0) return false;
    this.#at.bytes = bytes;
    return true;
  }

  async release(): Promise<void> {
    await this.#turn("release");
    this.#at.whole.delete(this);
  }
}
