import type { Refusal } from "./gate.ts";
import type { HttpProbe } from "./http-gate.ts";
import type { Steadiness } from "./steady.ts";

/** A gate as it is asked for, in a file or with a job; times in milliseconds. */
export type GateSpec =
  | { readonly kind: "conditions"; readonly name: string; readonly refusal: Refusal }
  | ({ readonly kind: "http"; readonly probe: HttpProbe } & Probing)
  | ({ readonly kind: "command"; readonly command: readonly string[]; readonly timeout: number } & Probing)
  | ({ readonly kind: "service"; readonly service: ServiceSpec } & Probing)
  | ({ readonly kind: "budget" } & BudgetSpec);

export const gateKinds = ["conditions", "http", "command", "service", "budget"] as const;

/** What all gates that look at something have. */
export interface Probing extends Steadiness {
  readonly name: string;
}

export interface ServiceSpec {
  readonly service: string;
  readonly tag?: string;
  readonly least: number;
  readonly mostUnhealthy: number;
  /** Of discovery's HTTP API; by default that of whoever asks. */
  readonly address?: string;
}

export interface BudgetSpec {
  readonly name: string;
  readonly refusal: Refusal;
  readonly objective: number;
  readonly window: number;
  readonly most: number;
  readonly source:
    | { readonly kind: "prometheus"; readonly address: string; readonly query: string; readonly timeout: number }
    | { readonly kind: "probe"; readonly probe: HttpProbe; readonly interval: number };
}

/** Gates, and how long they may have others wait before that counts as `stop`; milliseconds. */
export interface GateSettings {
  readonly patience: number;
  readonly gates: readonly GateSpec[];
}

/** What holds where nothing is said; times in milliseconds. */
export const usual = {
  patience: 600_000,
  holds: 0,
  grace: 60_000,
  interval: 2_000,
  method: "GET",
  statuses: "200-399",
  httpTimeout: 5_000,
  commandTimeout: 60_000,
  queryTimeout: 10_000,
  least: 1,
  mostUnhealthy: 0,
  window: 3_600_000,
  most: 1,
  probeInterval: 1_000,
} as const;

/** The gate that is asked in any case: nothing goes on over what has failed. */
export const usualGate: GateSpec = { kind: "conditions", name: "conditions", refusal: "stop" };

/** The statuses that are good, `200` or `200-399`, both ends included; undefined for another text. */
export function readStatuses(text: string): readonly [number, number] | undefined {
  const [, least, most = least] = /^(\d{3})(?:-(\d{3}))?$/.exec(text) ?? [];
  return least === undefined ? undefined : [Number(least), Number(most)];
}

/** Whether a text is the address of a web server. */
export function isWebAddress(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? "");
}

/** Whether it is a share of what must go well. */
export function isObjective(share: number): boolean {
  return share > 0 && share <= 1;
}
