import type { GateSpec } from "@millwright/gates/gate-spec";
import type { FieldKind } from "./read-fields.ts";

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
