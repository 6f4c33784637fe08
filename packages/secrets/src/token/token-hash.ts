import { createHmac } from "node:crypto";
import { invariant } from "@millwright/core/errors";
import type { Chance } from "@millwright/core/ports";
import type { TokenId } from "../engine.ts";
import { keyObject } from "../key-object.ts";
import type { SecretStorage } from "../storage.ts";
import { saltPath } from "./token-record.ts";

/** Names a token by a keyed hash: whoever reads the store cannot try out tokens without the key. */
export type HashToken = (token: string) => TokenId;

/** The hash with the key that is stored, which is made the first time. */
export async function openTokenHash(storage: SecretStorage, chance: Chance): Promise<HashToken> {
  const fresh = { op: "put", path: saltPath, value: chance.bytes(32) } as const;
  const known = await storage.get(saltPath);
  if (!known) await storage.commit([fresh], [{ path: saltPath, revision: 0 }]);
  const salt = (known ?? (await storage.get(saltPath)))?.value;
  invariant(salt, "the key of the tokens' hash is not there after it was written");
  return (token) => createHmac("sha256", keyObject(salt)).update(token).digest("hex") as TokenId;
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Letters and digits, each as likely as the others. */
export function randomLetters(chance: Chance, length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of chance.bytes(2 * length)) {
      // What is left of 256 beyond four times 62 would make some letters likelier.
      if (byte < 4 * letters.length && text.length < length) text += letters[byte % letters.length];
    }
  }
  return text;
}
