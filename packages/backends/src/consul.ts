import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import { ConsulClient } from "@millwright/clients/consul";
import { type ConsulConfig, consulConfigFromEnv } from "@millwright/clients/consul-config";
import { acquireLock, removeLock } from "@millwright/clients/consul-lock";
import { backendErrors } from "@millwright/engine/backend/errors";
import { type LockInfo, parseLockInfo } from "@millwright/engine/backend/lock-info";
import type { ShareTry } from "@millwright/engine/backend/parts-hold";
import type { LockTry, StateSlot, StateStorage } from "@millwright/engine/backend/storage";
import type { BackendType } from "./backend-type.ts";
import { ConsulPartsHold, memberKey } from "./consul-parts.ts";
import { blockSchema, type Settings } from "./settings.ts";
import { explained } from "./storage-failure.ts";

/**
 * `backend "consul"`: a key for each workspace, in the layout that Terraform's backend gives it
 * (https://developer.hashicorp.com/terraform/language/backend/consul): a large state in pieces, the lock by a session.
 */
export const consulBackend: BackendType = {
  name: "consul",
  schema: blockSchema({
    access_token: "text",
    address: "text",
    ca_file: "text",
    cert_file: "text",
    datacenter: "text",
    gzip: "flag",
    http_auth: "text",
    key_file: "text",
    lock: "flag",
    path: "text",
    scheme: "text",
  }),
  environment: {
    address: ["CONSUL_HTTP_ADDR"],
    access_token: ["CONSUL_HTTP_TOKEN"],
    http_auth: ["CONSUL_HTTP_AUTH"],
    ca_file: ["CONSUL_CACERT"],
    cert_file: ["CONSUL_CLIENT_CERT"],
    key_file: ["CONSUL_CLIENT_KEY"],
  },
  check: (settings) => (settings.text("path") ? [] : ["path is missing: the key that the state is kept at"]),
  open: async (settings, { env, clock }) => new ConsulStorage(settings, env, clock),
};

interface Access {
  readonly client: ConsulClient;
  readonly settings: Settings;
  readonly clock: Clock;
}

class ConsulStorage implements StateStorage {
  readonly keepsWorkspaces = true;
  readonly #access: Access;
  readonly #path: string;

  constructor(settings: Settings, env: Readonly<Record<string, string | undefined>>, clock: Clock) {
    this.#access = { client: new ConsulClient(configOf(settings, env)), settings, clock };
    this.#path = settings.text("path") ?? "";
  }

  async workspaces(signal: AbortSignal): Promise<readonly string[]> {
    const prefix = `${this.#path}${workspaceMark}`;
    const { value } = await reading(this.#access, this.#path, (client) => client.kv.keys(prefix, { signal }));
    const names = value.map((key) => key.slice(prefix.length)).filter((name) => !name.includes("/"));
    return ["default", ...names.sort()];
  }

  slot(workspace: string): StateSlot {
    return new ConsulSlot(this.#access, this.#keyOf(workspace));
  }

  remove(workspace: string): Promise<void> {
    return new ConsulSlot(this.#access, this.#keyOf(workspace)).remove();
  }

  close(): Promise<void> {
    return this.#access.client.close();
  }

  #keyOf(workspace: string): string {
    return workspace === "default" ? this.#path : `${this.#path}${workspaceMark}${workspace}`;
  }
}

const workspaceMark = "-env:";

function configOf(settings: Settings, env: Readonly<Record<string, string | undefined>>): ConsulConfig {
  const texts = {
    address: settings.text("address"),
    token: settings.text("access_token"),
    basicAuth: settings.text("http_auth"),
    datacenter: settings.text("datacenter"),
    caFile: settings.text("ca_file"),
    certFile: settings.text("cert_file"),
    keyFile: settings.text("key_file"),
  };
  const given = Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== undefined));
  const tls = settings.text("scheme") === "https" ? { tls: true } : {};
  return { ...consulConfigFromEnv(env), ...given, ...tls };
}

/** The largest value that Consul keeps under a key. */
const largestValue = 512 * 1024;

class ConsulSlot implements StateSlot {
  readonly #access: Access;
  readonly #key: string;

  constructor(access: Access, key: string) {
    this.#access = access;
    this.#key = key;
  }

  get place(): string {
    return `${this.#key} in Consul at ${this.#access.client.address}`;
  }

  async read(signal: AbortSignal): Promise<Uint8Array | undefined> {
    const whole = await this.#whole(signal);
    if (!whole || whole.length === 0) return undefined;
    try {
      return whole[0] === 0x1f && whole[1] === 0x8b ? gunzipSync(whole) : whole;
    } catch (error) {
      throw this.#damaged(`it cannot be unpacked: ${messageOf(error)}`);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    const old = (await this.#list())?.chunks ?? [];
    const { value, chunks } = await this.#inPieces(bytes);
    // Whoever reads sees the old pieces until this key names the new ones.
    await this.#put(this.#key, value);
    await this.#deleteAll(old.filter((key) => !chunks.includes(key)));
  }

  /** Writes, where what is there is still `expected`. */
  async #replace(expected: Uint8Array, bytes: Uint8Array): Promise<boolean> {
    const { value: entry } = await reading(this.#access, this.#key, (client) =>
      client.kv.get(this.#key, { consistency: "consistent" }),
    );
    const now = await this.read(new AbortController().signal);
    if (!entry || !now || Buffer.compare(now, expected) !== 0) return false;
    const old = chunksOf(entry.value)?.chunks ?? [];
    const { value, chunks } = await this.#inPieces(bytes);
    const done = await writing(this.#access, this.#key, (client) =>
      client.kv.put(this.#key, value, { cas: entry.modifyIndex }),
    );
    const current = done ? chunks : ((await this.#list())?.chunks ?? []);
    await this.#deleteAll((done ? old : chunks).filter((key) => !current.includes(key)));
    return done;
  }

  /** The value for a state's key: the state itself, or a list of the pieces that it was just put in. */
  async #inPieces(bytes: Uint8Array): Promise<{ readonly value: Uint8Array; readonly chunks: readonly string[] }> {
    const payload = this.#access.settings.flag("gzip") === true ? gzipSync(bytes) : bytes;
    if (payload.length <= largestValue) return { value: payload, chunks: [] };
    const hash = createHash("md5").update(payload).digest("hex");
    const chunks: string[] = [];
    for (let at = 0; at < payload.length; at += largestValue) {
      const key = `${this.#key}/tfstate.${hash}/${chunks.length}`;
      await this.#put(key, payload.subarray(at, at + largestValue));
      chunks.push(key);
    }
    return { value: Buffer.from(JSON.stringify({ "current-hash": hash, chunks })), chunks };
  }

  async share(info: LockInfo, signal: AbortSignal): Promise<ShareTry> {
    const { client, clock, settings } = this.#access;
    if (settings.flag("lock") === false || !(await this.read(signal))) return { kind: "nothing there" };
    const replace = (expected: Uint8Array, bytes: Uint8Array) => this.#replace(expected, bytes);
    const hold = await writing(this.#access, this.#key, () =>
      ConsulPartsHold.join({ client, clock, key: this.#key, info, replace }),
    );
    return hold ? { kind: "held", hold } : { kind: "busy", ...(await this.#holder(signal)) };
  }

  async lock(info: LockInfo, signal: AbortSignal): Promise<LockTry> {
    if (this.#access.settings.flag("lock") === false)
      return { kind: "held", lock: { info, release: async () => undefined } };
    const { client, clock } = this.#access;
    const got = await writing(this.#access, this.#key, () =>
      acquireLock(client, {
        key: this.#lockKey,
        sessionName: "Millwright state lock",
        lockDelayMilliseconds: 5_000,
        wait: 0,
        signal,
        clock,
      }),
    );
    if (!got) return { kind: "busy", ...(await this.#holder(signal)) };
    const held: LockInfo = { ...info, ID: got.session, Info: `consul session: ${got.session}`, Path: this.#key };
    await this.#put(this.#infoKey, Buffer.from(JSON.stringify(held)));
    const release = async () => {
      await writing(this.#access, this.#key, (c) => c.kv.delete(this.#infoKey));
      await got.release();
      await writing(this.#access, this.#key, () => removeLock(client, this.#lockKey));
    };
    return { kind: "held", lock: { info: held, lost: got.lost, release } };
  }

  async forceUnlock(id: string, signal: AbortSignal): Promise<void> {
    const sharer = await this.#get(memberKey(this.#key, id), signal);
    // One of several who share it: the others go on.
    if (sharer) return void (await writing(this.#access, this.#key, (client) => client.sessions.destroy(id)));
    const { holder } = await this.#holder(signal);
    if (holder?.ID !== id) {
      const who = holder ? `is held by ${holder.ID}, not by ${id}` : "is held by nobody";
      throw new OperationalError(backendErrors.notLocked, `The state ${this.place} ${who}.`);
    }
    await writing(this.#access, this.#key, async (client) => {
      const { value } = await client.kv.get(this.#lockKey, { signal });
      if (value?.session !== undefined) await client.sessions.destroy(value.session);
      await client.kv.delete(this.#infoKey);
      await removeLock(client, this.#lockKey);
    });
  }

  async remove(): Promise<void> {
    const old = (await this.#list())?.chunks ?? [];
    await writing(this.#access, this.#key, (client) => client.kv.delete(this.#key));
    await this.#deleteAll(old);
  }

  get #lockKey(): string {
    return `${this.#key}/.lock`;
  }

  get #infoKey(): string {
    return `${this.#key}/.lockinfo`;
  }

  async #holder(signal: AbortSignal): Promise<{ readonly holder: LockInfo | undefined; readonly why: string }> {
    const { value } = await reading(this.#access, this.#key, (client) => client.kv.get(this.#infoKey, { signal }));
    const why = "a session of Consul that has just ended: it may be taken in some seconds";
    return { holder: value && parseLockInfo(value.value), why };
  }

  /** The value, put together where it is in pieces. */
  async #whole(signal?: AbortSignal): Promise<Uint8Array | undefined> {
    // A writer may take the pieces away that were just named: then there are others.
    for (let attempt = 0; ; attempt++) {
      const value = await this.#get(this.#key, signal);
      const list = value && chunksOf(value);
      if (!list) return value;
      const pieces = await Promise.all(list.chunks.map((key) => this.#get(key, signal)));
      const whole = pieces.every((piece) => piece !== undefined) ? Buffer.concat(pieces) : undefined;
      if (whole && createHash("md5").update(whole).digest("hex") === list.hash) return whole;
      if (attempt === 3) throw this.#damaged("pieces of it are missing, or are not what was written");
    }
  }

  async #list(): Promise<Chunks | undefined> {
    const value = await this.#get(this.#key);
    return value && chunksOf(value);
  }

  async #get(key: string, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const options = { consistency: "consistent" as const, ...(signal ? { signal } : {}) };
    const { value } = await reading(this.#access, this.#key, (client) => client.kv.get(key, options));
    return value?.value;
  }

  async #put(key: string, value: Uint8Array): Promise<void> {
    await writing(this.#access, this.#key, (client) => client.kv.put(key, value));
  }

  async #deleteAll(keys: readonly string[]): Promise<void> {
    for (const key of keys) await writing(this.#access, this.#key, (client) => client.kv.delete(key));
  }

  #damaged(why: string): OperationalError {
    return new OperationalError(backendErrors.stateUnreadable, `The state ${this.place} is damaged: ${why}.`);
  }
}

interface Chunks {
  readonly hash: string;
  readonly chunks: readonly string[];
}

/** The list of pieces, where a value is one and no state. */
function chunksOf(value: Uint8Array): Chunks | undefined {
  const text = Buffer.from(value.subarray(0, 1)).toString();
  if (text !== "{" || value.length > largestValue) return undefined;
  let plain: unknown;
  try {
    plain = JSON.parse(Buffer.from(value).toString("utf8"));
  } catch {
    return undefined;
  }
  const { "current-hash": hash, chunks } = plain as Readonly<Record<string, unknown>>;
  if (typeof hash !== "string" || !Array.isArray(chunks)) return undefined;
  return { hash, chunks: chunks.map(String) };
}

function reading<T>({ client }: Access, key: string, work: (client: ConsulClient) => Promise<T>): Promise<T> {
  return explained("stateUnreadable", `${key} in Consul`, () => work(client));
}

function writing<T>({ client }: Access, key: string, work: (client: ConsulClient) => Promise<T>): Promise<T> {
  return explained("stateUnwritable", `${key} in Consul`, () => work(client));
}
