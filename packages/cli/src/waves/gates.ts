import { ConsulClient } from "@millwright/clients/consul";
import { consulConfigFromEnv } from "@millwright/clients/consul-config";
import { systemClock } from "@millwright/core/ports";
import { budgetGate } from "@millwright/gates/budget-gate";
import { commandGate } from "@millwright/gates/command-gate";
import { conditionGate } from "@millwright/gates/condition-gate";
import type { Gate } from "@millwright/gates/gate";
import { httpGate } from "@millwright/gates/http-gate";
import { serviceGate } from "@millwright/gates/service-gate";
import type { GateSpec } from "./gate-spec.ts";

/** Where gates are asked from: the folder that commands run in, and the environment that they and clients have. */
export interface GateSurroundings {
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Makes gates of what is written. Throws `badConfiguration` where a client's address or certificates cannot be used. */
export function gatesOf(specs: readonly GateSpec[], { folder, env }: GateSurroundings): readonly Gate[] {
  return specs.map((spec) => {
    switch (spec.kind) {
      case "conditions":
        return conditionGate(spec.name, spec.refusal);
      case "http":
        return httpGate(spec.name, spec.probe, spec);
      case "command": {
        const [program = "", ...args] = spec.command;
        const { timeout } = spec;
        return commandGate(spec.name, { command: [program, ...args], folder, env, timeout }, spec);
      }
      case "service": {
        const { address } = spec.service;
        const config = { ...consulConfigFromEnv(env), ...(address === undefined ? {} : { address }) };
        return serviceGate(spec.name, new ConsulClient(config), spec.service, spec);
      }
      case "budget":
        return budgetGate(
          spec.name,
          spec,
          spec.source.kind === "probe" ? spec.source : { kind: "prometheus", query: spec.source },
          systemClock,
        );
    }
  });
}
