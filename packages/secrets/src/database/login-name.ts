import type { Chance } from "@millwright/core/ports";

const digits = "0123456789";
const lower = "abcdefghijklmnopqrstuvwxyz";
const upper = lower.toUpperCase();

/** PostgreSQL cuts longer names. */
const longestName = 63;

/** `v-DISPLAY-ROLE-RANDOM-UNIXTIME`: who asked, for which role, and when. Letters, digits, `-`, `_` and `.` only. */
export function loginName(asked: { displayName: string; role: string; now: number }, chance: Chance): string {
  const plain = (text: string) => text.slice(0, 8).replaceAll(/[^\w.-]/g, "-");
  const random = randomText(lower + upper + digits, 20, chance);
  const seconds = Math.floor(asked.now / 1_000);
  return `v-${plain(asked.displayName)}-${plain(asked.role)}-${random}-${seconds}`.slice(0, longestName);
}

/** 20 letters, digits and dashes, at least one of each kind: about 119 bits of chance. */
export function loginPassword(chance: Chance): string {
  for (;;) {
    const password = randomText(`${lower}${upper}${digits}-`, 20, chance);
    // A leading dash would be taken for an option on command lines.
    if (!password.startsWith("-") && [/[a-z]/, /[A-Z]/, /\d/, /-/].every((kind) => kind.test(password)))
      return password;
  }
}

function randomText(alphabet: string, length: number, chance: Chance): string {
  // Bytes from the last, incomplete round through the alphabet are left out, so that each letter is as likely.
  const usable = 256 - (256 % alphabet.length);
  let text = "";
  while (text.length < length) {
    for (const byte of chance.bytes(length)) {
      if (byte < usable && text.length < length) text += alphabet[byte % alphabet.length];
    }
  }
  return text;
}
