import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { type ErrorKind, messageOf, OperationalError } from "@millwright/core/errors";
import { SignJWT, type JWTPayload } from "jose";

/** Signs with a key that is this server's alone; others check by its public half. */
export interface Signer {
  readonly kid: string;
  /** The public half, as it is published. */
  readonly jwk: Readonly<Record<string, string>>;
  /** Resolves to a compact JWT; secret. */
  sign(claims: JWTPayload): Promise<string>;
}

const signerErrors = {
  unusable: { code: "ORCHESTRATOR_SIGNING_KEY", status: 500, retryable: false },
} as const satisfies Record<string, ErrorKind>;

/** The signer of a file (mode 0600), whose key is made the first time; without a file, one that ends with the process. */
export async function openSigner(file: string | undefined): Promise<Signer> {
  const key = file === undefined ? await newKey() : await keyOf(file);
  const { n = "", e = "" } = createPublicKey(key).export({ format: "jwk" });
  // The thumbprint of RFC 7638: the same key has the same name everywhere.
  const kid = createHash("sha256")
    .update(JSON.stringify({ e, kty: "RSA", n }))
    .digest("base64url");
  return {
    kid,
    jwk: { alg: "RS256", e, kid, kty: "RSA", n, use: "sig" },
    sign: (claims) => new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid, typ: "JWT" }).sign(key),
  };
}

async function keyOf(file: string): Promise<KeyObject> {
  try {
    const known = await readFile(file, "utf8").catch(absentOnly);
    if (known !== "") return createPrivateKey(known);
    const key = await newKey();
    const text = key.export({ format: "pem", type: "pkcs8" });
    await writeFile(file, text, { mode: 0o600, flush: true });
    return key;
  } catch (error) {
    const text = `Cannot use the signing key's file ${file}: ${messageOf(error)}. Check its permissions; without the file a new key is made.`;
    throw new OperationalError(signerErrors.unusable, text, { cause: error });
  }
}

async function newKey(): Promise<KeyObject> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  return privateKey;
}

function absentOnly(error: NodeJS.ErrnoException): string {
  if (error.code !== "ENOENT") throw error;
  return "";
}
