import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { Engine, EngineType, Mount } from "../engine.ts";
import { secretsErrors } from "../errors.ts";
import type { Leases, MountedEngine, Mounts, SystemTtl } from "../lease/leases.ts";
import { allPaths, type SecretStorage, storageUnder } from "../storage.ts";
import {
  changeMountTable,
  concernsMounts,
  entryAt,
  faultOfPath,
  type MountConfig,
  type MountEntry,
  mountOf,
  readMountTable,
} from "./mount-table.ts";

export interface LiveMountsOptions {
  readonly storage: SecretStorage;
  readonly types: readonly EngineType[];
  readonly ttl: SystemTtl;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** What is mounted and open, kept equal to the stored table, whichever server changes it. */
export class LiveMounts implements Mounts {
  readonly #options: LiveMountsOptions;
  #live: readonly LiveMount[] = [];
  #unfollow: () => void = () => undefined;
  /** Changes of what is open come one after another. */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: LiveMountsOptions) {
    this.#options = options;
  }

  /** Opens everything that the table names, and follows it. An engine that cannot be opened does not keep others from it. */
  async open(): Promise<void> {
    const { storage, log } = this.#options;
    await this.#removeLeftData();
    await this.refresh();
    this.#unfollow = storage.follow("core/", (paths) => {
      if (!concernsMounts(paths)) return;
      this.refresh().catch((error) => log.write("error", "secrets: mounts not read", { error: messageOf(error) }));
    });
  }

  async close(): Promise<void> {
    this.#unfollow();
    await this.#turn;
    const closing = this.#live;
    this.#live = [];
    await Promise.all(closing.map(({ engine }) => engine.close?.()));
  }

  get entries(): readonly MountEntry[] {
    return this.#live.map(({ entry }) => entry);
  }

  /** With those that are ending: their leases are still to be taken back. */
  at(path: string): MountedEngine | undefined {
    const live = this.find(path);
    return live && { ...live, isEnding: live.entry.isEnding };
  }

  find(path: string): LiveMount | undefined {
    const entry = entryAt(this.entries, path);
    return entry && this.#live.find((live) => live.entry === entry);
  }

  typeOf(name: string, wanted: "secret" | "auth"): EngineType | undefined {
    return this.#options.types.find((type) => type.name === name && type.class === wanted);
  }

  /** The lengths that hold where a mount does not say. */
  get ttl(): SystemTtl {
    return this.#options.ttl;
  }

  /** Mounts what the spec says. Rejects with `badRequest` where it cannot be. */
  async mount(spec: MountSpec): Promise<void> {
    const { chance, storage } = this.#options;
    const fault = this.typeOf(spec.type, spec.class)?.checkOptions?.(spec.options);
    if (fault !== undefined) throw badRequest(fault);
    const accessor = `${spec.type}_${Buffer.from(chance.bytes(4)).toString("hex")}`;
    const entry = { ...spec, uuid: chance.uuid(), accessor, isEnding: false };
    await changeMountTable(storage, (entries) => {
      const conflict = faultOfPath(entries, spec.path);
      if (conflict !== undefined) throw badRequest(conflict);
      return [...entries, entry];
    });
    const failure = (await this.refresh()).find(({ path }) => path === spec.path);
    if (!failure) return;
    // An engine that does not open is not left behind in the table.
    await changeMountTable(storage, (entries) => entries.filter(({ uuid }) => uuid !== entry.uuid));
    await this.refresh();
    throw failure.error;
  }

  /** Takes back all leases of a mount, then removes it with its data. Of a path without a mount nothing happens. */
  async unmount(path: string, leases: LeaseEnder): Promise<void> {
    const { storage } = this.#options;
    const entry = this.entries.find((known) => known.path === path);
    if (!entry) return;
    await this.#whileEnding(entry, () => leases.revokePrefix(path));
    await changeMountTable(storage, (entries) => entries.filter(({ uuid }) => uuid !== entry.uuid));
    await this.refresh();
    await deleteAll(storage, dataFolder(entry.uuid));
  }

  /** Moves a mount with its data; its leases, which name the old path, are taken back first. */
  async move(from: string, to: string, leases: LeaseEnder): Promise<void> {
    const entry = this.entries.find(({ path }) => path === from);
    if (!entry) throw badRequest(`no matching mount at ${JSON.stringify(from)}`);
    const check = (entries: readonly MountEntry[]) => {
      const fault = faultOfPath(
        entries.filter(({ uuid }) => uuid !== entry.uuid),
        to,
      );
      if (fault !== undefined) throw badRequest(fault);
    };
    check(this.entries);
    await this.#whileEnding(entry, () => leases.revokePrefix(from));
    await changeMountTable(this.#options.storage, (entries) => {
      check(entries);
      return entries.map((known) => (known.uuid === entry.uuid ? { ...known, path: to, isEnding: false } : known));
    });
    await this.refresh();
  }

  /** Changes what a mount may have changed while it is there. */
  async tune(path: string, change: MountTuning): Promise<void> {
    const { storage } = this.#options;
    const live = this.#live.find(({ entry }) => entry.path === path);
    if (!live) throw badRequest(`cannot tune ${JSON.stringify(path)}: nothing is mounted there`);
    const { entry } = live;
    const options = { ...entry.options, ...change.options };
    const type = this.typeOf(entry.type, entry.class);
    const fault = type?.checkTune?.(entry.options, options) ?? type?.checkOptions?.(options);
    if (fault !== undefined) throw badRequest(fault);
    await changeMountTable(storage, (entries) =>
      entries.map((known) => {
        if (known.uuid !== entry.uuid) return known;
        const config = { ...known.config, ...change.config };
        return { ...known, config, options, description: change.description ?? known.description };
      }),
    );
    await this.refresh();
  }

  /** Opens and closes engines until they are what the stored table says; gives those that did not open. */
  refresh(): Promise<readonly OpenFailure[]> {
    const next = this.#turn.then(() => this.#reconcile());
    this.#turn = next.then(
      () => undefined,
      () => undefined,
    );
    return next;
  }

  async #reconcile(): Promise<readonly OpenFailure[]> {
    const { entries } = await readMountTable(this.#options.storage);
    const before = new Map(this.#live.map((live) => [live.entry.uuid, live]));
    const after: LiveMount[] = [];
    const failures: OpenFailure[] = [];
    for (const entry of entries) {
      const known = before.get(entry.uuid);
      const isSame = known && JSON.stringify(viewOf(known.entry)) === JSON.stringify(viewOf(entry));
      try {
        after.push(isSame ? { ...known, entry } : await this.#openEngine(entry));
        if (isSame) before.delete(entry.uuid);
      } catch (error) {
        failures.push({ path: entry.path, error });
        if (known) after.push(known);
        before.delete(entry.uuid);
      }
    }
    this.#live = after;
    await Promise.all([...before.values()].map(({ engine }) => engine.close?.()));
    for (const { path, error } of failures)
      this.#options.log.write("error", "secrets: a mount was not opened", { path, error: messageOf(error) });
    return failures;
  }

  async #openEngine(entry: MountEntry): Promise<LiveMount> {
    const { storage, ttl, clock, chance, log } = this.#options;
    const type = this.typeOf(entry.type, entry.class);
    if (!type) {
      const text = `The mount ${entry.path} is of the type ${JSON.stringify(entry.type)}, which this server does not have.`;
      throw new OperationalError(secretsErrors.badRequest, text);
    }
    const mount = mountOf(entry, ttl);
    const own = storageUnder(storage, dataFolder(entry.uuid));
    return { entry, mount, engine: await type.open({ mount, storage: own, clock, chance, log }) };
  }

  async #whileEnding(entry: MountEntry, work: () => Promise<void>): Promise<void> {
    await this.#mark(entry, true);
    try {
      await work();
    } catch (error) {
      await this.#mark(entry, false);
      throw error;
    }
  }

  async #mark(entry: MountEntry, isEnding: boolean): Promise<void> {
    await changeMountTable(this.#options.storage, (entries) =>
      entries.map((known) => (known.uuid === entry.uuid ? { ...known, isEnding } : known)),
    );
    await this.refresh();
  }

  // Data of mounts that were removed by a server which then did not come to delete them. Listed before the table is read:
  // a mount is in the table before it has data.
  async #removeLeftData(): Promise<void> {
    const { storage } = this.#options;
    const folders = await storage.list("logical/");
    const { entries } = await readMountTable(storage);
    const known = new Set(entries.map(({ uuid }) => `${uuid}/`));
    for (const folder of folders) if (!known.has(folder)) await deleteAll(storage, `logical/${folder}`);
  }
}

export interface LiveMount {
  readonly entry: MountEntry;
  readonly mount: Mount;
  readonly engine: Engine;
}

export interface OpenFailure {
  readonly path: string;
  readonly error: unknown;
}

/** What takes back the leases under a path. */
export type LeaseEnder = Pick<Leases, "revokePrefix">;

export interface MountSpec {
  readonly class: "secret" | "auth";
  readonly path: string;
  readonly type: string;
  readonly description: string;
  readonly options: Readonly<Record<string, string>>;
  readonly config: MountConfig;
}

export interface MountTuning {
  readonly description?: string;
  readonly options: Readonly<Record<string, string>>;
  readonly config: Partial<MountConfig>;
}

// What an engine was opened with: another one of these makes it open anew.
function viewOf({ path, type, options, config, description }: MountEntry): unknown {
  return [path, type, options, config.defaultLeaseTtl, config.maxLeaseTtl, description];
}

function dataFolder(uuid: string): string {
  return `logical/${uuid}/`;
}

async function deleteAll(storage: SecretStorage, folder: string): Promise<void> {
  const paths = await allPaths(storage, folder);
  for (let at = 0; at < paths.length; at += 50)
    await storage.commit(paths.slice(at, at + 50).map((path) => ({ op: "delete", path })));
}

function badRequest(text: string): OperationalError {
  return new OperationalError(secretsErrors.badRequest, text);
}
