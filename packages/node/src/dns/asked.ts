import { addressKey, type HostAddress, parseHostAddress } from "./host-address.ts";
import { type DomainName, recordTypes } from "./records.ts";

/** What a name stands for. Names and tags are in lower case. */
export type Asked =
  /** Not below one of our domains. */
  | { readonly kind: "outside" }
  /** The address (`addressKey`) that `in-addr.arpa` or `ip6.arpa` spells. */
  | { readonly kind: "reverse"; readonly address: string }
  | OwnName;

/** A name below one of our domains; `domain` is that domain as it was asked. */
export type OwnName = { readonly domain: DomainName } & (
  | { readonly kind: "apex" }
  /** There are names below it, and nothing at itself, e.g. `service.consul`. */
  | { readonly kind: "branch"; readonly datacenter?: string }
  | { readonly kind: "node"; readonly node: string; readonly datacenter?: string }
  | { readonly kind: "service"; readonly service: string; readonly tag?: string; readonly datacenter?: string }
  /** The address that the name itself spells. */
  | { readonly kind: "address"; readonly address: HostAddress }
  | { readonly kind: "nothing" }
);

/**
 * Says what a name stands for, by Consul's rules: the rightmost label that names a kind (`service`, `node`, …) parts the
 * name into what is asked for and where. `domains` are lists of labels in lower case.
 */
export function parseAsked(labels: readonly string[], type: number, domains: readonly (readonly string[])[]): Asked {
  const lower = labels.map((label) => label.toLowerCase());
  const domain = domains.find((one) => one.every((label, i) => lower[lower.length - one.length + i] === label));
  if (!domain) return parseReverse(lower, type) ?? { kind: "outside" };
  const length = labels.length - domain.length;
  return { domain: labels.slice(length).join("."), ...parseOwn(lower.slice(0, length), type) };
}

type Below<T> = T extends unknown ? Omit<T, "domain"> : never;
type Own = Below<OwnName>;

const nothing: Own = { kind: "nothing" };

// Mesh names and prepared queries are kinds too: without them there is nothing below these labels.
const kinds: readonly string[] = ["service", "node", "addr", "query", "connect", "virtual", "ingress"];

function parseOwn(labels: readonly string[], type: number): Own {
  if (labels.length === 0) return { kind: "apex" };
  for (let i = labels.length - 1; i >= 0; i--) {
    const label = labels[i]!;
    const where = labels.slice(i + 1);
    // In a question for SRV the label `service` may be left out: `_web._tcp.consul`.
    if (type === recordTypes.SRV && label.startsWith("_")) return parseService(labels.slice(0, i + 1), where);
    if (kinds.includes(label)) return parseKind(label, labels.slice(0, i), where);
  }
  if (labels.length === 1 && labels[0]!.startsWith("_")) return { kind: "branch" };
  const place = parsePlace(labels);
  return place ? { kind: "branch", ...place } : nothing;
}

function parseKind(kind: string, names: readonly string[], where: readonly string[]): Own {
  const place = parsePlace(where);
  if (!place) return nothing;
  if (names.length === 0) return { kind: "branch", ...place };
  switch (kind) {
    case "service":
      return parseService(names, where);
    case "node":
      return { kind: "node", node: names.join("."), ...place };
    case "addr":
      return parseSpelled(names);
    default:
      return nothing;
  }
}

function parseService(names: readonly string[], where: readonly string[]): Own {
  const place = parsePlace(where);
  if (!place) return nothing;
  const [first = "", second = ""] = names;
  if (names.length === 2 && first.startsWith("_") && second.startsWith("_")) {
    const tag = second.slice(1);
    return { kind: "service", service: first.slice(1), ...(tag === "tcp" ? {} : { tag }), ...place };
  }
  if (names.length === 1 && first.startsWith("_")) return { kind: "branch", ...place };
  const tag = names.slice(0, -1).join(".");
  return { kind: "service", service: names.at(-1)!, ...(tag === "" ? {} : { tag }), ...place };
}

/** `<dc>`, or `<dc>.dc`; undefined for what is no place. */
function parsePlace(where: readonly string[]): { readonly datacenter?: string } | undefined {
  const [datacenter, marker] = where;
  if (datacenter === undefined) return {};
  return where.length === 1 || (where.length === 2 && marker === "dc") ? { datacenter } : undefined;
}

function parseSpelled(names: readonly string[]): Own {
  const [hex = ""] = names;
  if (names.length !== 1 || !/^([\da-f]{8}|[\da-f]{32})$/.test(hex)) return nothing;
  const kind = hex.length === 8 ? "ipv4" : "ipv6";
  return { kind: "address", address: { kind, bytes: new Uint8Array(Buffer.from(hex, "hex")) } };
}

function parseReverse(labels: readonly string[], type: number): Asked | undefined {
  if (type !== recordTypes.PTR && type !== recordTypes.ANY) return undefined;
  const parts = labels.slice(0, -2).reverse();
  const zone = labels.slice(-2).join(".");
  const isGroup = (part: string) => /^[\da-f]$/.test(part);
  if (zone === "in-addr.arpa" && parts.length === 4) return reverseOf(parts.join("."));
  if (zone !== "ip6.arpa" || parts.length !== 32 || !parts.every(isGroup)) return undefined;
  return reverseOf(parts.join("").replace(/.{4}(?!$)/g, "$&:"));
}

function reverseOf(text: string): Asked | undefined {
  const address = parseHostAddress(text);
  return "bytes" in address ? { kind: "reverse", address: addressKey(address.bytes) } : undefined;
}
