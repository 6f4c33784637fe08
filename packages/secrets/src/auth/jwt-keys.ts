import { createPublicKey, type KeyObject } from "node:crypto";
import { OperationalError } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import { compactVerify, createLocalJWKSet, errors, type JSONWebKeySet } from "jose";
import { secretsErrors } from "../errors.ts";
import { isObject } from "../objects.ts";
import type { FetchJson } from "./fetch-json.ts";
import type { JwtConfig, KeySource } from "./jwt-config.ts";
import { signatureAlgorithms } from "./jwt-config.ts";

/** Tells whether a token was signed by one of an issuer's keys. */
export interface JwtKeys {
  /** What the token says, where its signature is good; else what is wrong. Rejects with `unreachable`. */
  verify(jwt: string): Promise<Verified>;
  /** Gets the keys, if they are to be got. Rejects with `unreachable`. */
  check(): Promise<void>;
}

export type Verified =
  /** `issuer` is the one that the source of the keys names itself as. */
  | { readonly ok: true; readonly payload: unknown; readonly issuer?: string }
  | { readonly ok: false; readonly why: string };

/** How long keys are used before they are got again, and how long a key that is not among them is not looked for again. */
const keptMilliseconds = 10 * 60_000;
const pauseMilliseconds = 10_000;

export function jwtKeys(config: JwtConfig, ports: { readonly clock: Clock; readonly fetchJson: FetchJson }): JwtKeys {
  const { source } = config;
  const algorithms = config.algorithms.length > 0 ? [...config.algorithms] : [...signatureAlgorithms];
  if (source.kind === "keys") {
    const keys = source.pems.map((pem) => createPublicKey(pem));
    return { verify: (jwt) => verifyWithKeys(jwt, keys, algorithms), check: async () => undefined };
  }
  const remote = new RemoteKeys(source, ports);
  return {
    verify: async (jwt) => {
      const { issuer, isFresh, keySet } = await remote.get("kept");
      const first = await verifyWithSet(jwt, keySet, algorithms);
      const found = first === "unknown-key" && !isFresh ? await remote.get("newest") : undefined;
      const verified = found ? await verifyWithSet(jwt, found.keySet, algorithms) : first;
      if (verified === "unknown-key") return { ok: false, why: "no known key signed the token" };
      return verified.ok && issuer !== undefined ? { ...verified, issuer } : verified;
    },
    check: async () => {
      await remote.get("newest");
    },
  };
}

const badSignature = { ok: false, why: "no known key signed the token, or it is no token at all" } as const;

async function verifyWithKeys(jwt: string, keys: readonly KeyObject[], algorithms: string[]): Promise<Verified> {
  for (const key of keys) {
    const fitting = algorithms.filter((algorithm) => fits(algorithm, key));
    if (fitting.length === 0) continue;
    try {
      const { payload } = await compactVerify(jwt, key, { algorithms: fitting });
      return { ok: true, payload: parsed(payload) };
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
    }
  }
  return badSignature;
}

const curves: Readonly<Record<string, string>> = { ES256: "prime256v1", ES384: "secp384r1", ES512: "secp521r1" };

function fits(algorithm: string, { asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  if (algorithm === "EdDSA") return asymmetricKeyType === "ed25519";
  const curve = curves[algorithm];
  if (curve !== undefined) return asymmetricKeyType === "ec" && asymmetricKeyDetails?.namedCurve === curve;
  return asymmetricKeyType === "rsa";
}

type KeySet = ReturnType<typeof createLocalJWKSet>;

async function verifyWithSet(jwt: string, keySet: KeySet, algorithms: string[]): Promise<Verified | "unknown-key"> {
  try {
    const { payload } = await compactVerify(jwt, keySet, { algorithms });
    return { ok: true, payload: parsed(payload) };
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return "unknown-key";
    if (error instanceof errors.JWKSMultipleMatchingKeys) {
      // The token names no key: each that it could be is tried.
      for await (const key of error) {
        try {
          return { ok: true, payload: parsed((await compactVerify(jwt, key, { algorithms })).payload) };
        } catch (wrong) {
          if (!(wrong instanceof errors.JOSEError)) throw wrong;
        }
      }
      return badSignature;
    }
    if (error instanceof errors.JOSEError) return badSignature;
    throw error;
  }
}

function parsed(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload).toString());
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

interface GotKeys {
  readonly keySet: KeySet;
  readonly issuer?: string;
  /** Got just now. */
  readonly isFresh: boolean;
}

/** The keys at an address, kept for a while; got again early where one is missing, though not at every call. */
class RemoteKeys {
  readonly #source: Exclude<KeySource, { kind: "keys" }>;
  readonly #clock: Clock;
  readonly #fetchJson: FetchJson;
  #kept: { readonly at: number; readonly keySet: KeySet; readonly issuer?: string } | undefined;
  #getting: Promise<GotKeys> | undefined;

  constructor(
    source: Exclude<KeySource, { kind: "keys" }>,
    { clock, fetchJson }: { readonly clock: Clock; readonly fetchJson: FetchJson },
  ) {
    this.#source = source;
    this.#clock = clock;
    this.#fetchJson = fetchJson;
  }

  get(age: "kept" | "newest"): Promise<GotKeys> {
    const kept = this.#kept;
    const longest = age === "kept" ? keptMilliseconds : pauseMilliseconds;
    if (kept && this.#clock.monotonic() - kept.at < longest) return Promise.resolve({ ...kept, isFresh: false });
    this.#getting ??= this.#fetch().finally(() => {
      this.#getting = undefined;
    });
    return this.#getting;
  }

  async #fetch(): Promise<GotKeys> {
    const { caPem } = this.#source;
    const { url, issuer } = this.#source.kind === "jwks" ? { url: this.#source.url } : await this.#discover();
    const answer = await this.#fetchJson(url, caPem);
    const keySet = keySetOf(answer);
    if (!keySet) throw unreachable(`${url}: the answer is no set of keys (JWKS)`);
    this.#kept = { at: this.#clock.monotonic(), keySet, ...(issuer === undefined ? {} : { issuer }) };
    return { ...this.#kept, isFresh: true };
  }

  async #discover(): Promise<{ readonly url: string; readonly issuer?: string }> {
    const { url, caPem } = this.#source;
    const base = url.replace(/\/+$/, "");
    const place = `${base}/.well-known/openid-configuration`;
    const answer = await this.#fetchJson(place, caPem);
    const issuer = isObject(answer) ? answer["issuer"] : undefined;
    const keys = isObject(answer) ? answer["jwks_uri"] : undefined;
    if (typeof issuer !== "string" || typeof keys !== "string" || !/^https?:\/\//.test(keys)) {
      throw unreachable(`${place}: the answer does not name an issuer and its keys`);
    }
    if (issuer.replace(/\/+$/, "") !== base) throw unreachable(`${place}: the answer is of another issuer: ${issuer}`);
    return { url: keys, issuer };
  }
}

function keySetOf(answer: unknown): KeySet | undefined {
  if (!isObject(answer) || !Array.isArray(answer["keys"]) || !answer["keys"].every(isObject)) return undefined;
  // Of a key for a shared secret there is nothing to be made here.
  const keys = answer["keys"].filter((key) => key["kty"] !== "oct") as JSONWebKeySet["keys"];
  return createLocalJWKSet({ keys });
}

function unreachable(message: string): OperationalError {
  return new OperationalError(secretsErrors.unreachable, message);
}
