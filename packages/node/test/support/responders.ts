import type { Chance } from "@millwright/core/ports";
import { silentLog, systemClock } from "@millwright/core/ports";
import type { CatalogSource } from "../../src/dns/catalog.ts";
import { Recursors } from "../../src/dns/recursors.ts";
import { Responder, type ResponderOptions } from "../../src/dns/responder.ts";

/** Chance that always takes the first of what there is, and goes through bytes in order. */
export function fixedChance(): Chance {
  let next = 0;
  return {
    bytes: (length) => Uint8Array.from({ length }, () => next++ % 256),
    uuid: () => "00000000-0000-4000-8000-000000000000",
    fraction: () => 0.999_999,
  };
}

/** A responder of node `me` in `dc1` that does not shuffle, at one instant. */
export function makeResponder(source: CatalogSource, changes: Partial<ResponderOptions> = {}): Responder {
  const chance = fixedChance();
  return new Responder({
    domains: [["consul"]],
    source,
    nodeName: "me",
    datacenter: "dc1",
    ttl: {},
    onlyPassing: false,
    nodeMeta: true,
    udpAnswerLimit: 3,
    recursors: new Recursors({ servers: [], chance, log: silentLog }),
    clock: { ...systemClock, now: () => 1_479_722_400_000 },
    chance,
    log: silentLog,
    ...changes,
  });
}
