import { isKind, messageOf, OperationalError } from "@millwright/core/errors";
import { backendErrors } from "@millwright/engine/backend/errors";
import type { Sealing } from "@millwright/engine/backend/sealing";
import type { BackendPorts } from "../backend-type.ts";
import { PartSettings } from "./part-settings.ts";
import type { KeyRecipe, MethodRecipe } from "./recipe.ts";

/** What an encrypted file is: OpenTofu's JSON of version `v0`. Bytes are in base64. */
interface Payload {
  /** Of each key provider, its own JSON in base64. */
  readonly meta: Readonly<Record<string, string>>;
  readonly encrypted_data: string;
  readonly encryption_version: string;
}

const version = "v0";

/**
 * Encrypts as OpenTofu does (https://opentofu.org/docs/language/state/encryption/), with the first of its methods; what is read
 * may be written with any of them. A key is asked for once in a run, so that a state can be written also when nobody gives keys
 * any more.
 */
export class EncryptedSealing implements Sealing {
  readonly #methods: readonly MethodRecipe[];
  readonly #ports: BackendPorts;
  /** Whether a state's lineage and serial stand beside what is encrypted, for those who look at files. */
  readonly #isState: boolean;
  #writing: Promise<Prepared> | undefined;
  readonly #reading = new Map<string, Promise<PartSettings>>();
  readonly #current = new WeakSet<Uint8Array>();

  constructor(methods: readonly MethodRecipe[], isState: boolean, ports: BackendPorts) {
    this.#methods = methods;
    this.#isState = isState;
    this.#ports = ports;
  }

  get sealed(): boolean {
    return this.#methods[0]?.method !== undefined;
  }

  async seal(plain: Uint8Array): Promise<Uint8Array> {
    const [recipe] = this.#methods;
    if (!recipe?.method) return plain;
    this.#writing ??= this.#prepare(recipe);
    const { settings, metadata } = await this.#writing;
    const encrypted = await recipe.method.encrypt(settings, plain, this.#ports);
    const payload: Payload = {
      meta: metadata,
      encrypted_data: Buffer.from(encrypted).toString("base64"),
      encryption_version: version,
    };
    return Buffer.from(JSON.stringify({ ...(this.#isState ? namesOf(plain) : {}), ...payload }));
  }

  async open(bytes: Uint8Array): Promise<Uint8Array> {
    const payload = payloadOf(bytes);
    if (!payload) return this.#openClear(bytes);
    if (payload.encryption_version !== version)
      throw unopened(`it is encrypted in version ${payload.encryption_version}, and ${version} is known here`);
    const failures: string[] = [];
    for (const [index, recipe] of this.#methods.entries()) {
      if (!recipe.method) continue;
      try {
        const settings = await this.#settingsFor(recipe, payload.meta);
        const plain = await recipe.method.decrypt(settings, Buffer.from(payload.encrypted_data, "base64"), this.#ports);
        if (index === 0) this.#current.add(bytes);
        return plain;
      } catch (error) {
        if (!(error instanceof OperationalError) || isKind(error, backendErrors.badEncryption)) throw error;
        failures.push(`  - ${recipe.address}: ${messageOf(error)}`);
      }
    }
    throw unopened(`none of the configured methods can decrypt it:\n${failures.join("\n")}`);
  }

  isCurrent(bytes: Uint8Array): boolean {
    return this.#current.has(bytes);
  }

  #openClear(bytes: Uint8Array): Uint8Array {
    if (!this.#methods.some(({ method }) => method === undefined))
      throw unopened(
        'it is not encrypted, and that is not allowed. To encrypt what is there, name method "unencrypted" as the fallback for one run',
      );
    if (!this.sealed) this.#current.add(bytes);
    return bytes;
  }

  async #prepare(recipe: MethodRecipe): Promise<Prepared> {
    const metadata: Record<string, string> = {};
    const keys = await keysOf(recipe.keys, (key) => this.#fresh(key, metadata));
    return { settings: new PartSettings(recipe.address, recipe.values, keys), metadata };
  }

  async #fresh(recipe: KeyRecipe, metadata: Record<string, string>): Promise<Uint8Array> {
    const keys = await keysOf(recipe.keys, (key) => this.#fresh(key, metadata));
    const settings = new PartSettings(recipe.address, recipe.values, keys);
    const fresh = await recipe.provider.fresh(settings, this.#ports);
    metadata[recipe.metadataKey] = Buffer.from(JSON.stringify(fresh.metadata)).toString("base64");
    return fresh.key;
  }

  #settingsFor(recipe: MethodRecipe, metadata: Payload["meta"]): Promise<PartSettings> {
    const id = JSON.stringify([recipe.address, metadata]);
    let known = this.#reading.get(id);
    if (!known) this.#reading.set(id, (known = this.#again(recipe, metadata)));
    return known;
  }

  async #again(recipe: MethodRecipe, metadata: Payload["meta"]): Promise<PartSettings> {
    const keys = await keysOf(recipe.keys, (key) => this.#keyAgain(key, metadata));
    return new PartSettings(recipe.address, recipe.values, keys);
  }

  async #keyAgain(recipe: KeyRecipe, metadata: Payload["meta"]): Promise<Uint8Array> {
    const kept = metadata[recipe.metadataKey];
    if (kept === undefined) throw unopened(`it was not written with a key of ${recipe.metadataKey}`);
    const keys = await keysOf(recipe.keys, (key) => this.#keyAgain(key, metadata));
    const settings = new PartSettings(recipe.address, recipe.values, keys);
    const plain: unknown = JSON.parse(Buffer.from(kept, "base64").toString("utf8"));
    const key = await recipe.provider.again(settings, plain, this.#ports);
    if (!key) throw unopened(`${recipe.address} has no key for it`);
    return key;
  }
}

interface Prepared {
  readonly settings: PartSettings;
  readonly metadata: Readonly<Record<string, string>>;
}

async function keysOf(
  recipes: Readonly<Record<string, KeyRecipe>>,
  keyOf: (recipe: KeyRecipe) => Promise<Uint8Array>,
): Promise<Readonly<Record<string, Uint8Array>>> {
  const keys: Record<string, Uint8Array> = {};
  for (const [name, recipe] of Object.entries(recipes)) keys[name] = await keyOf(recipe);
  return keys;
}

/** Undefined where the bytes are not encrypted. */
function payloadOf(bytes: Uint8Array): Payload | undefined {
  if (bytes[0] !== 0x7b) return undefined;
  let plain: unknown;
  try {
    plain = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
  const { meta, encrypted_data: data, encryption_version: of } = plain as Partial<Payload>;
  if (typeof of !== "string" || of === "" || typeof data !== "string") return undefined;
  return { meta: meta ?? {}, encrypted_data: data, encryption_version: of };
}

/** The serial and the lineage of a state; nothing for other bytes. */
function namesOf(plain: Uint8Array): { readonly serial?: number; readonly lineage?: string } {
  try {
    const { serial, lineage } = JSON.parse(Buffer.from(plain).toString("utf8")) as {
      readonly serial?: number;
      readonly lineage?: string;
    };
    return { ...(serial === undefined ? {} : { serial }), ...(lineage === undefined ? {} : { lineage }) };
  } catch {
    return {};
  }
}

function unopened(why: string): OperationalError {
  return new OperationalError(backendErrors.sealUnopened, `${why}.`);
}
