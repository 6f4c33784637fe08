import type { Chance } from "@millwright/core/ports";
import { compare, encodeBase64, hash } from "bcryptjs";

/** What bcrypt takes of a password; the rest does not count. */
const longest = 72;

/** A bcrypt hash of the first 72 bytes of a text, at cost 10 and in the `$2a$` form, with a salt of chance. */
export function bcryptHash(text: string, chance: Chance): Promise<string> {
  return hash(firstBytes(text), `$2a$10$${encodeBase64(Array.from(chance.bytes(16)), 16)}`);
}

export function isBcryptHashOf(text: string, hashed: string): Promise<boolean> {
  return compare(firstBytes(text), hashed);
}

/** Cut between characters: half a character would be another one by the time it is hashed. */
function firstBytes(text: string): string {
  let bytes = 0;
  let cut = "";
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > longest) break;
    cut += character;
  }
  return cut;
}
