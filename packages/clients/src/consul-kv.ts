import {
  type Answer,
  answerOf,
  badAnswer,
  type CallOptions,
  type ConsulApi,
  encodePath,
  jsonOf,
  type ReadOptions,
} from "./consul-api.ts";

/** A key with its value, as the server keeps it. */
export interface KvEntry {
  readonly key: string;
  readonly value: Uint8Array;
  /** An unsigned 64-bit number of the user's own. */
  readonly flags: bigint;
  readonly createIndex: number;
  /** Of its last change; what a check-and-set compares. */
  readonly modifyIndex: number;
  readonly lockIndex: number;
  /** The session that holds it as a lock. */
  readonly session?: string;
}

export interface PutOptions extends CallOptions {
  readonly flags?: bigint;
  /** Write only where the key's modify index is this one; 0 writes only where there is no such key. */
  readonly cas?: number;
  /** Take the key as a lock for this session; false where another has it. */
  readonly acquire?: string;
  /** Give the lock back; false where this session does not have it. */
  readonly release?: string;
}

export interface DeleteOptions extends CallOptions {
  readonly cas?: number;
}

/** `/v1/kv`. */
export class ConsulKv {
  readonly #api: ConsulApi;

  constructor(api: ConsulApi) {
    this.#api = api;
  }

  /** One key; undefined where it does not exist. */
  async get(key: string, options: ReadOptions = {}): Promise<Answer<KvEntry | undefined>> {
    const { value, ...rest } = await this.#entries(key, {}, options);
    return { value: value[0], ...rest };
  }

  /** All keys that start with `prefix`, with values, in the byte order of their names. */
  list(prefix: string, options: ReadOptions = {}): Promise<Answer<readonly KvEntry[]>> {
    return this.#entries(prefix, { recurse: true }, options);
  }

  /** Names of keys that start with `prefix`; with a separator cut behind its first occurrence after the prefix. */
  async keys(
    prefix: string,
    options: ReadOptions & { readonly separator?: string } = {},
  ): Promise<Answer<readonly string[]>> {
    const { separator } = options;
    const query = { keys: true as const, ...(separator ? { separator } : {}) };
    const answer = await this.#read(prefix, query, options);
    if (answer.status === 404) return answerOf(answer, []);
    const body = await jsonOf(answer, `reading keys of ${JSON.stringify(prefix)}`);
    if (!Array.isArray(body) || !body.every((name) => typeof name === "string")) {
      throw badAnswer(`reading keys of ${JSON.stringify(prefix)}`, "its answer is no list of names");
    }
    return answerOf(answer, body);
  }

  /** Whether it was written: false only where `cas`, `acquire` or `release` did not hold. */
  put(key: string, value: Uint8Array | string, options: PutOptions = {}): Promise<boolean> {
    const { flags, cas, acquire, release } = options;
    const query: Record<string, string> = {};
    if (flags) query.flags = String(flags);
    if (cas !== undefined) query.cas = String(cas);
    if (acquire !== undefined) query.acquire = acquire;
    if (release !== undefined) query.release = release;
    return this.#change("PUT", key, options, {
      query,
      body: typeof value === "string" ? Buffer.from(value) : value,
    });
  }

  /** Whether the key is gone: false only where `cas` did not match. */
  delete(key: string, options: DeleteOptions = {}): Promise<boolean> {
    return this.#change("DELETE", key, options, {
      query: options.cas === undefined ? {} : { cas: String(options.cas) },
    });
  }

  /** Deletes all keys that start with `prefix`. */
  async deleteTree(prefix: string, options: CallOptions = {}): Promise<void> {
    await this.#change("DELETE", prefix, options, { query: { recurse: true } });
  }

  async #entries(
    path: string,
    query: Record<string, string | true>,
    options: ReadOptions,
  ): Promise<Answer<readonly KvEntry[]>> {
    const answer = await this.#read(path, query, options);
    if (answer.status === 404) {
      await answer.bytes();
      return answerOf(answer, []);
    }
    const what = `reading ${JSON.stringify(path)}`;
    const body = await jsonOf(answer, what);
    if (!Array.isArray(body)) throw badAnswer(what, "its answer is no list of entries");
    return answerOf(
      answer,
      body.map((wire) => parseKvEntry(wire, what)),
    );
  }

  #read(path: string, query: Record<string, string | true>, options: ReadOptions) {
    const request = {
      method: "GET",
      path: `/v1/kv/${encodePath(path)}`,
      query,
      options,
      repeatable: true,
      accept: [404],
    } as const;
    return this.#api.request(request);
  }

  async #change(
    method: "PUT" | "DELETE",
    key: string,
    options: CallOptions,
    what: { readonly query: Record<string, string | true>; readonly body?: Uint8Array },
  ): Promise<boolean> {
    // A check-and-set that was carried out fails when it is sent again, and would be told as a conflict; so does a release.
    const repeatable = what.query.cas === undefined && what.query.release === undefined;
    const answer = await this.#api.request({ method, path: `/v1/kv/${encodePath(key)}`, options, repeatable, ...what });
    const done = await jsonOf(answer, `writing ${JSON.stringify(key)}`);
    if (typeof done !== "boolean")
      throw badAnswer(`writing ${JSON.stringify(key)}`, "its answer is neither true nor false");
    return done;
  }
}

/** Reads an entry's wire form, of `/v1/kv` and `/v1/txn` alike. */
export function parseKvEntry(wire: unknown, what: string): KvEntry {
  const { Key, Value, Flags, CreateIndex, ModifyIndex, LockIndex, Session } = (wire ?? {}) as Record<string, unknown>;
  const value = Value === null || Value === undefined ? "" : Value;
  if (typeof Key !== "string" || typeof value !== "string") throw badAnswer(what, "an entry has no Key or no Value");
  return {
    key: Key,
    value: Buffer.from(value, "base64"),
    flags: BigInt(typeof Flags === "number" || typeof Flags === "bigint" ? Flags : 0),
    createIndex: Number(CreateIndex ?? 0),
    modifyIndex: Number(ModifyIndex ?? 0),
    lockIndex: Number(LockIndex ?? 0),
    ...(typeof Session === "string" && Session !== "" ? { session: Session } : {}),
  };
}
