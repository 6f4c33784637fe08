import { isIPv4, isIPv6 } from "node:net";
import type { DomainName } from "./records.ts";

/** Where a node or service is: an IP address in its bytes, or a name that stands for one elsewhere. */
export type HostAddress =
  | { readonly kind: "ipv4" | "ipv6"; readonly bytes: Uint8Array }
  | { readonly kind: "name"; readonly name: DomainName }
  /** Nothing that DNS could answer with. */
  | { readonly kind: "none" };

export function parseHostAddress(text: string): HostAddress {
  if (isIPv4(text)) return { kind: "ipv4", bytes: Uint8Array.from(text.split("."), Number) };
  if (isIPv6(text)) return { kind: "ipv6", bytes: ipv6Bytes(text) };
  const name = text.endsWith(".") ? text.slice(0, -1) : text;
  const isName = /^[\w-]{1,63}(\.[\w-]{1,63})*$/.test(name) && name.length <= 253;
  return isName ? { kind: "name", name } : { kind: "none" };
}

/** The same text for the same address, whatever way it was written. */
export function addressKey(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

function ipv6Bytes(text: string): Uint8Array {
  const [plain = ""] = text.split("%");
  // An IPv4 address at the end stands for the last two groups.
  const groups = plain.replace(/[\d.]+$/, (tail) => {
    if (!tail.includes(".")) return tail;
    const [a = 0, b = 0, c = 0, d = 0] = tail.split(".").map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [left = "", right] = groups.split("::");
  const head = left === "" ? [] : left.split(":");
  const tail = right === undefined || right === "" ? [] : right.split(":");
  const all = [...head, ...new Array<string>(8 - head.length - tail.length).fill("0"), ...tail];
  const bytes = new Uint8Array(16);
  for (const [i, group] of all.entries()) {
    const value = Number.parseInt(group, 16);
    bytes[2 * i] = value >> 8;
    bytes[2 * i + 1] = value;
  }
  return bytes;
}
