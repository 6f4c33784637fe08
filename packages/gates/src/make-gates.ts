import type { ConsulClient } from "@millwright/clients/consul";
import type { Clock } from "@millwright/core/ports";
import { budgetGate } from "./budget-gate.ts";
import { commandGate, type CommandProbe } from "./command-gate.ts";
import { conditionGate } from "./condition-gate.ts";
import type { Gate } from "./gate.ts";
import type { GateSpec } from "./gate-spec.ts";
import { httpGate } from "./http-gate.ts";
import { serviceGate } from "./service-gate.ts";

/** Where gates are asked from. */
export interface GateSurroundings {
  readonly clock: Clock;
  /** The folder that commands run in, and the environment that they have; null where none may be run. */
  readonly commands: Pick<CommandProbe, "folder" | "env"> | null;
  /** Discovery at an address; at the usual one where none is given. May throw `badConfiguration`. */
  discovery(address: string | undefined): Pick<ConsulClient, "health">;
}

/** Makes gates of what is asked for. Throws `badConfiguration` where a client's address or certificates cannot be used. */
export function makeGates(specs: readonly GateSpec[], surroundings: GateSurroundings): readonly Gate[] {
  return specs.map((spec) => makeGate(spec, surroundings));
}

function makeGate(spec: GateSpec, { clock, commands, discovery }: GateSurroundings): Gate {
  switch (spec.kind) {
    case "conditions":
      return conditionGate(spec.name, spec.refusal);
    case "http":
      return httpGate(spec.name, spec.probe, spec);
    case "command": {
      if (!commands) return refusing(spec.name, "commands of gates are not run here");
      const [program = "", ...args] = spec.command;
      return commandGate(spec.name, { command: [program, ...args], ...commands, timeout: spec.timeout }, spec);
    }
    case "service":
      return serviceGate(spec.name, discovery(spec.service.address), spec.service, spec);
    case "budget": {
      const { source } = spec;
      return budgetGate(
        spec.name,
        spec,
        source.kind === "probe" ? source : { kind: "prometheus", query: source },
        clock,
      );
    }
  }
}

function refusing(name: string, because: string): Gate {
  return { name, decide: () => Promise.resolve({ kind: "stop", because }) };
}
