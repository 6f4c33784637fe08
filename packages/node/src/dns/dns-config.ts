import { type Diagnosed, type Diagnostic, errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import { formatDuration, parseDuration, toMilliseconds } from "@millwright/text/duration";
import type { CatalogSourceOptions } from "./catalog-source.ts";
import type { DnsOptions } from "./dns.ts";

/** What a configuration may say of DNS beside addresses. */
export type DnsSettings = Pick<
  DnsOptions,
  "altDomain" | "ttl" | "onlyPassing" | "nodeMeta" | "udpAnswerLimit" | "recursorTimeoutMilliseconds"
> &
  Pick<CatalogSourceOptions, "maxStaleMilliseconds">;

/**
 * Reads the `dns_config` of Consul's configuration files, from JSON, or from HCL, which has a block as a list. A setting of
 * another type is an error; one that changes nothing here is a warning.
 */
export function readDnsConfig(value: unknown): Diagnosed<DnsSettings> {
  const diagnostics: Diagnostic[] = [];
  const draft: Draft = {};
  for (const block of blocksOf(value)) {
    const fields = isObject(block) ? Object.entries(block) : [["", block] as const];
    for (const [name, field] of fields) {
      if (field === null) continue;
      const path = name === "" ? "dns_config" : `dns_config.${name}`;
      const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
      if (!read && name !== "") diagnostics.push(withoutEffect(path));
      else if (!read?.(field, draft)) diagnostics.push(wrongType(path, field));
    }
  }
  return { value: draft, diagnostics };
}

type Draft = { -readonly [K in keyof DnsSettings]: DnsSettings[K] };

/** Takes a setting into the draft; false where it has another type. */
type Reader = (value: unknown, draft: Draft) => boolean;

const readers: Readonly<Record<string, Reader>> = {
  node_ttl: duration((milliseconds, draft) => (draft.ttl = { ...draft.ttl, node: seconds(milliseconds) })),
  service_ttl: (value, draft) =>
    blocksOf(value).every((block) => {
      if (!isObject(block)) return false;
      const ttls = Object.entries(block).map(([name, text]) => [name, millisecondsOf(text)] as const);
      if (ttls.some(([, ttl]) => ttl === undefined)) return false;
      const service = Object.fromEntries(ttls.map(([name, ttl]) => [name, seconds(ttl ?? 0)]));
      draft.ttl = { ...draft.ttl, service: { ...draft.ttl?.service, ...service } };
      return true;
    }),
  soa: (value, draft) =>
    blocksOf(value).every((block) => {
      const negative = isObject(block) ? (block.min_ttl ?? 0) : undefined;
      if (!isCount(negative)) return false;
      draft.ttl = { ...draft.ttl, negative };
      return true;
    }),
  only_passing: flag("onlyPassing"),
  enable_additional_node_meta_txt: flag("nodeMeta"),
  udp_answer_limit: (value, draft) => {
    if (!isCount(value) || value === 0) return false;
    draft.udpAnswerLimit = value;
    return true;
  },
  recursor_timeout: duration((milliseconds, draft) => (draft.recursorTimeoutMilliseconds = milliseconds)),
  max_stale: duration((milliseconds, draft) => (draft.maxStaleMilliseconds = milliseconds)),
  // What these ask for is always so.
  enable_truncate: (value) => value === true,
  allow_stale: (value) => value === true,
  use_cache: (value) => value === true,
};

function flag(field: "onlyPassing" | "nodeMeta"): Reader {
  return (value, draft) => {
    if (typeof value !== "boolean") return false;
    draft[field] = value;
    return true;
  };
}

function duration(take: (milliseconds: number, draft: Draft) => void): Reader {
  return (value, draft) => {
    const milliseconds = millisecondsOf(value);
    if (milliseconds === undefined) return false;
    take(milliseconds, draft);
    return true;
  };
}

/** Of a text such as `10s`, or of a number of nanoseconds, as Go writes them. */
function millisecondsOf(value: unknown): number | undefined {
  const text = isCount(value) ? formatDuration(BigInt(value)) : value;
  const parsed = typeof text === "string" ? parseDuration(text) : undefined;
  return parsed?.ok && parsed.duration >= 0n ? toMilliseconds(parsed.duration) : undefined;
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}

function blocksOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function withoutEffect(path: string): Diagnostic {
  return warningDiagnostic(`${path} changes nothing`, "The DNS front here has no such setting. It can be left out.");
}

function wrongType(path: string, value: unknown): Diagnostic {
  const detail =
    'Times are texts such as "10s", limits numbers above 0. Answers that were cut always say so, and are given from memory: enable_truncate, allow_stale and use_cache can only be true.';
  return errorDiagnostic(`${path} cannot be ${JSON.stringify(value)}`, detail);
}
