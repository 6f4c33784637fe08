import type { Refusal } from "@millwright/gates/gate";
import type { HttpProbe } from "@millwright/gates/http-gate";
import type { FieldKind } from "./read-fields.ts";

/** A gate as it is written; times in milliseconds. */
export type GateSpec =
  | { readonly kind: "conditions"; readonly name: string; readonly refusal: Refusal }
  | ({ readonly kind: "http"; readonly probe: HttpProbe } & Probing)
  | ({ readonly kind: "command"; readonly command: readonly string[]; readonly timeout: number } & Probing)
  | ({ readonly kind: "service"; readonly service: ServiceSpec } & Probing)
  | {
      readonly kind: "budget";
      readonly name: string;
      readonly refusal: Refusal;
      readonly objective: number;
      readonly window: number;
      readonly most: number;
      readonly source:
        | { readonly kind: "prometheus"; readonly address: string; readonly query: string; readonly timeout: number }
        | { readonly kind: "probe"; readonly probe: HttpProbe; readonly interval: number };
    };

/** What all gates that look at something have. */
export interface Probing {
  readonly name: string;
  readonly refusal: Refusal;
  readonly holds: number;
  readonly grace: number;
  readonly interval: number;
}

export interface ServiceSpec {
  readonly service: string;
  readonly tag?: string;
  readonly least: number;
  readonly mostUnhealthy: number;
  /** Of discovery's HTTP API; by default what the environment says. */
  readonly address?: string;
}

type Fields = Readonly<Record<string, FieldKind>>;

const probing: Fields = { for: "duration", within: "duration", every: "duration", otherwise: "text" };
const http: Fields = {
  url: "text!",
  method: "text",
  headers: "map",
  status: "text",
  contains: "text",
  timeout: "duration",
};

/** The arguments of each kind of gate, by the word that stands behind `gate`. */
export const gateFields: Readonly<Record<GateSpec["kind"], Fields>> = {
  conditions: { otherwise: "text" },
  http: { ...http, ...probing },
  command: { command: "texts!", timeout: "duration", ...probing },
  service: { service: "text!", tag: "text", least: "whole", most_unhealthy: "whole", address: "text", ...probing },
  budget: { objective: "number!", window: "duration", most: "number", otherwise: "text" },
};

/** The blocks in a budget, one of which says where it is read. */
export const budgetSources: Readonly<Record<"prometheus" | "probe", Fields>> = {
  prometheus: { address: "text!", query: "text!", timeout: "duration" },
  probe: { ...http, every: "duration" },
};
