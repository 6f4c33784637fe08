import type { WireObject } from "./consul-wire.ts";
import { textsOf, wireEntries } from "./consul-wire.ts";

/** How a check in the catalog is run, for whoever runs checks of nodes that run none themselves. Times as `10s`. */
export interface CheckDefinition {
  readonly http?: string;
  readonly method?: string;
  readonly header?: Readonly<Record<string, readonly string[]>>;
  readonly tlsSkipVerify?: boolean;
  readonly tcp?: string;
  readonly interval?: string;
  readonly timeout?: string;
  /** The service goes when the check has been critical for so long. */
  readonly deregisterCriticalServiceAfter?: string;
}

/** Reads a definition's wire form; an empty one is an empty object. */
export function parseCheckDefinition(wire: WireObject): CheckDefinition {
  const header = wireEntries(wire.optional("Header"), "Header").map(
    ([name, values]) => [name, textsOf(values, "Header")] as const,
  );
  const texts = textFields.flatMap(([field, name]) => (wire.text(name) === "" ? [] : [[field, wire.text(name)]]));
  return {
    ...Object.fromEntries(texts),
    ...(header.length > 0 ? { header: Object.fromEntries(header) } : {}),
    ...(wire.flag("TLSSkipVerify") ? { tlsSkipVerify: true } : {}),
  };
}

export function wireCheckDefinition(definition: CheckDefinition): object {
  return {
    ...Object.fromEntries(textFields.map(([field, name]) => [name, definition[field]])),
    Header: definition.header,
    TLSSkipVerify: definition.tlsSkipVerify,
  };
}

const textFields = [
  ["http", "HTTP"],
  ["method", "Method"],
  ["tcp", "TCP"],
  ["interval", "Interval"],
  ["timeout", "Timeout"],
  ["deregisterCriticalServiceAfter", "DeregisterCriticalServiceAfter"],
] as const;
