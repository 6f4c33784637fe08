import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { OperationalError } from "@millwright/core/errors";
import { backendErrors } from "@millwright/engine/backend/errors";
import type { BackendPorts } from "../backend-type.ts";
import { converse } from "./external.ts";
import type { PartSettings } from "./part-settings.ts";

/** One kind of method: how bytes are encrypted with the key it was given. */
export interface Method {
  readonly arguments: readonly string[];
  encrypt(settings: PartSettings, plain: Uint8Array, ports: BackendPorts): Promise<Uint8Array>;
  /** Rejects where the key is another, or the bytes are not what was written. */
  decrypt(settings: PartSettings, bytes: Uint8Array, ports: BackendPorts): Promise<Uint8Array>;
}

const nonceBytes = 12;
const tagBytes = 16;
const keyBytes: readonly number[] = [16, 24, 32];

/** `method "aes_gcm"`: AES in Galois/Counter Mode (NIST SP 800-38D), the nonce before the text and the tag behind it. */
export const aesGcm: Method = {
  arguments: ["keys", "aad"],
  encrypt: async (settings, plain) => {
    const nonce = randomBytes(nonceBytes);
    const key = keyOf(settings);
    const cipher = createCipheriv(cipherOf(settings, key), key, nonce);
    const aad = settings.bytes("aad");
    if (aad) cipher.setAAD(aad);
    return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  },
  decrypt: async (settings, bytes) => {
    const key = keyOf(settings);
    if (bytes.length < nonceBytes + tagBytes) throw unopened("it is cut off");
    const decipher = createDecipheriv(cipherOf(settings, key), key, bytes.subarray(0, nonceBytes));
    const aad = settings.bytes("aad");
    if (aad) decipher.setAAD(aad);
    decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes));
    try {
      const body = bytes.subarray(nonceBytes, bytes.length - tagBytes);
      return Buffer.concat([decipher.update(body), decipher.final()]);
    } catch {
      throw unopened("the key does not fit, or the file was changed");
    }
  },
};

/** `method "external"`: commands that encrypt and decrypt, in OpenTofu's protocol of that name, version 1. */
export const externalMethod: Method = {
  arguments: ["keys", "encrypt_command", "decrypt_command"],
  encrypt: (settings, plain, ports) => external(settings, "encrypt_command", plain, ports),
  decrypt: (settings, bytes, ports) => external(settings, "decrypt_command", bytes, ports),
};

async function external(
  settings: PartSettings,
  name: "encrypt_command" | "decrypt_command",
  payload: Uint8Array,
  ports: BackendPorts,
): Promise<Uint8Array> {
  const command = settings.texts(name);
  if (command.length === 0) throw settings.wrong(`${name} is missing: a list of a program and its arguments`);
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  const key = settings.key("keys");
  const input = { ...(key ? { key: base64(key) } : {}), payload: base64(payload) };
  const { payload: answer } = (await converse(command, "OpenTofu-External-Encryption-Method", input, ports)) as {
    readonly payload?: string;
  };
  if (!answer)
    throw new OperationalError(backendErrors.keyUnavailable, `The command ${command[0]} failed: it gave no payload.`);
  return Buffer.from(answer, "base64");
}

function keyOf(settings: PartSettings): Uint8Array {
  const key = settings.key("keys");
  if (!key) throw settings.wrong("keys is missing: the address of a key provider, such as key_provider.pbkdf2.main");
  return key;
}

function cipherOf(settings: PartSettings, key: Uint8Array) {
  if (!keyBytes.includes(key.length))
    throw settings.wrong(`its key has ${key.length} bytes, and AES takes 16, 24 or 32; pbkdf2 with chain makes one`);
  return `aes-${key.length * 8}-gcm` as "aes-256-gcm";
}

function unopened(why: string): OperationalError {
  return new OperationalError(backendErrors.sealUnopened, why);
}
