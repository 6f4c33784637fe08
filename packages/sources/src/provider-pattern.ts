import { defaultRegistry, type ProviderSource } from "./provider-source.ts";

/** Which providers a place is asked for: `registry.terraform.io/hashicorp/*`, a `*` in place of any of the parts. */
export interface ProviderPattern {
  readonly host: string;
  readonly namespace: string;
  readonly type: string;
}

/** Reads a pattern of one to three parts; what is left out is the default registry, and the namespace hashicorp. */
export function parseProviderPattern(text: string): ProviderPattern | undefined {
  const parts = text.toLowerCase().split("/");
  if (parts.some((part) => !/^(\*|[0-9a-z][0-9a-z.:_-]*)$/.test(part))) return undefined;
  const [a, b, c] = parts;
  if (parts.length === 1) return { host: defaultRegistry, namespace: a === "*" ? "*" : "hashicorp", type: a! };
  if (parts.length === 2) return { host: defaultRegistry, namespace: a!, type: b! };
  return parts.length === 3 ? { host: a!, namespace: b!, type: c! } : undefined;
}

export function matchesPattern(pattern: ProviderPattern, source: ProviderSource): boolean {
  const fits = (wanted: string, given: string) => wanted === "*" || wanted === given;
  return (
    fits(pattern.host, source.host) && fits(pattern.namespace, source.namespace) && fits(pattern.type, source.type)
  );
}

/** Whether a place is asked for a provider: it is included (all are where nothing is said), and not excluded. */
export function isAskedFor(
  method: { readonly include: readonly ProviderPattern[]; readonly exclude: readonly ProviderPattern[] },
  source: ProviderSource,
): boolean {
  const isIncluded = method.include.length === 0 || method.include.some((pattern) => matchesPattern(pattern, source));
  return isIncluded && !method.exclude.some((pattern) => matchesPattern(pattern, source));
}
