import type { Refusal } from "@millwright/gates/gate";
import {
  type BudgetSpec,
  type GateSettings,
  type GateSpec,
  type Probing,
  readStatuses,
  type ServiceSpec,
  usual,
} from "@millwright/gates/gate-spec";
import type { HttpProbe } from "@millwright/gates/http-gate";
import type { DraftOf, ValueOf } from "./shape.ts";
import {
  duration,
  map,
  many,
  number,
  optional,
  optionalDuration,
  optionalText,
  shape,
  text,
  texts,
  whole,
} from "./shape.ts";

/*
 * The gates that a job's deployments go through, which are ours beside Nomad's job. They come from `waves.hcl`, and travel with
 * the job as a part of its version.
 */

const millisecond = 1_000_000;

/** A web address that is looked at. */
export const httpProbeShape = shape("HTTP", {
  url: text("", { api: "URL" }),
  method: text(usual.method),
  headers: map({ isSecret: true }),
  /** `200`, or `200-399`. */
  status: text(usual.statuses),
  contains: optionalText(),
  timeout: duration(usual.httpTimeout * millisecond),
});

const commandShape = shape("Command", { args: texts(), timeout: duration(usual.commandTimeout * millisecond) });

const serviceShape = shape("Service", {
  name: text(),
  tag: optionalText(),
  least: whole(usual.least),
  mostUnhealthy: whole(usual.mostUnhealthy),
  address: optionalText(),
});

const prometheusShape = shape("Prometheus", {
  address: text(),
  query: text(),
  timeout: duration(usual.queryTimeout * millisecond),
});

const budgetShape = shape("Budget", {
  objective: number(),
  window: duration(usual.window * millisecond),
  most: number(usual.most),
  prometheus: optional(prometheusShape),
  probe: optional(httpProbeShape),
});

/** A gate: what it is of is in the part with the name of its kind. */
export const gateShape = shape(
  "Gate",
  {
    name: text(),
    kind: text(),
    /** What it asks for that is against going on: `stop`, or `back`. */
    otherwise: text("stop"),
    for: duration(usual.holds * millisecond),
    within: duration(usual.grace * millisecond),
    /** How often it looks; null for what is usual of its kind. */
    every: optionalDuration(),
    http: optional(httpProbeShape, { api: "HTTP" }),
    command: optional(commandShape),
    service: optional(serviceShape),
    budget: optional(budgetShape),
  },
  "name",
);
export type JobGate = ValueOf<typeof gateShape>;

export const gatesShape = shape("Gates", {
  /** How long they may have the next batch wait. */
  patience: duration(usual.patience * millisecond),
  gates: many(gateShape),
});
export type JobGates = ValueOf<typeof gatesShape>;

/** Gates as a job takes them along. */
export function jobGatesOf({ patience, gates }: GateSettings): DraftOf<typeof gatesShape> {
  return { patience: patience * millisecond, gates: gates.map(jobGateOf) };
}

function jobGateOf(spec: GateSpec): DraftOf<typeof gateShape> {
  const { kind, name, refusal: otherwise } = spec;
  const common = { kind, name, otherwise };
  switch (spec.kind) {
    case "conditions":
      return common;
    case "http":
      return { ...common, ...probing(spec), http: draftOf(spec.probe) };
    case "command":
      return {
        ...common,
        ...probing(spec),
        command: { args: spec.command, timeout: spec.timeout * millisecond },
      };
    case "service": {
      const { service: named, ...rest } = spec.service;
      return { ...common, ...probing(spec), service: { name: named, ...rest } };
    }
    case "budget": {
      const { objective, window, most, source } = spec;
      const budget = { objective, window: window * millisecond, most };
      if (source.kind === "probe") {
        const every = source.interval * millisecond;
        return { ...common, every, budget: { ...budget, probe: draftOf(source.probe) } };
      }
      const { address, query, timeout } = source;
      return { ...common, budget: { ...budget, prometheus: { address, query, timeout: timeout * millisecond } } };
    }
  }
}

function probing({ holds, grace, interval }: Probing): DraftOf<typeof gateShape> {
  return { for: holds * millisecond, within: grace * millisecond, every: interval * millisecond };
}

function draftOf({ url, method, headers, statuses, contains, timeout }: HttpProbe): DraftOf<typeof httpProbeShape> {
  const [least, most] = statuses;
  const status = least === most ? `${least}` : `${least}-${most}`;
  return { url, method, headers, status, contains, timeout: timeout * millisecond };
}

/** The gates of a job that is valid, to be made and asked. */
export function gateSettingsOf({ patience, gates }: JobGates): GateSettings {
  return { patience: patience / millisecond, gates: gates.flatMap((gate) => specOf(gate) ?? []) };
}

/** Undefined for a gate that lacks what is of its kind. */
export function specOf(gate: JobGate): GateSpec | undefined {
  const { name, kind, http, command, service, budget } = gate;
  const refusal = gate.otherwise as Refusal;
  const interval = gate.every === null ? undefined : gate.every / millisecond;
  const common: Probing = {
    ...{ name, refusal, holds: gate.for / millisecond, grace: gate.within / millisecond },
    interval: interval ?? usual.interval,
  };
  switch (kind as GateSpec["kind"]) {
    case "conditions":
      return { kind: "conditions", name, refusal };
    case "http": {
      const probe = http ? probeOf(http) : undefined;
      return probe && { kind: "http", ...common, probe };
    }
    case "command":
      return command
        ? { kind: "command", ...common, command: command.args, timeout: command.timeout / millisecond }
        : undefined;
    case "service":
      return service ? { kind: "service", ...common, service: serviceOf(service) } : undefined;
    case "budget": {
      const source = budget && sourceOf(budget, interval ?? usual.probeInterval);
      if (!budget || !source) return undefined;
      const { objective, window, most } = budget;
      return { kind: "budget", name, refusal, objective, window: window / millisecond, most, source };
    }
    default:
      return undefined;
  }
}

function probeOf(probe: ValueOf<typeof httpProbeShape>): HttpProbe | undefined {
  const { url, method, headers, contains, timeout } = probe;
  const statuses = readStatuses(probe.status);
  const wanted = contains === null ? {} : { contains };
  return statuses && { url, method, headers, statuses, timeout: timeout / millisecond, ...wanted };
}

function serviceOf({ name, tag, least, mostUnhealthy, address }: ValueOf<typeof serviceShape>): ServiceSpec {
  const optional = { ...(tag === null ? {} : { tag }), ...(address === null ? {} : { address }) };
  return { service: name, least, mostUnhealthy, ...optional };
}

function sourceOf(
  { prometheus, probe }: ValueOf<typeof budgetShape>,
  interval: number,
): BudgetSpec["source"] | undefined {
  if (prometheus) return { kind: "prometheus", ...prometheus, timeout: prometheus.timeout / millisecond };
  const looked = probe && probeOf(probe);
  return looked ? { kind: "probe", probe: looked, interval } : undefined;
}
