import { silentLog, systemChance, systemClock } from "@millwright/core/ports";
import type { Engine, EngineReply, EngineType, Operation } from "../src/engine.ts";
import { memoryStorage } from "../src/memory-storage.ts";
import type { SecretStorage } from "../src/storage.ts";

/** An engine over memory, as it is behind a mount, with a clock that stands until it is set. */
export interface OpenedEngine {
  readonly engine: Engine;
  readonly storage: SecretStorage;
  /** Milliseconds since 1970, to be set. */
  readonly time: { now: number };
  call(operation: Operation, path: string, data?: Readonly<Record<string, unknown>>): Promise<EngineReply>;
}

export interface OpenOptions {
  readonly options?: Readonly<Record<string, string>>;
  readonly storage?: SecretStorage;
  readonly time?: { now: number };
}

export async function openEngine(type: EngineType, settings: OpenOptions = {}): Promise<OpenedEngine> {
  const { options = {}, storage = memoryStorage(), time = { now: Date.parse("2026-01-02T03:04:05Z") } } = settings;
  const engine = await type.open({
    mount: {
      ...{
        uuid: "0b5c6a2e",
        accessor: `${type.name}_1`,
        path: `${type.name}/`,
        type: type.name,
        description: "",
        options,
      },
      ...{ defaultLeaseTtl: 2_764_800, maxLeaseTtl: 2_764_800 },
    },
    storage,
    clock: { ...systemClock, now: () => time.now },
    chance: systemChance,
    log: silentLog,
  });
  return {
    engine,
    storage,
    time,
    call: (operation, path, data = {}) =>
      engine.handle({ operation, path, data, remote: "127.0.0.1:1", caller: rootCaller }),
  };
}

const rootCaller = { token: "t" as never, accessor: "a", displayName: "root", policies: ["root"] };
