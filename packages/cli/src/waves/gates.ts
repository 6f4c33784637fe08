import { ConsulClient } from "@millwright/clients/consul";
import { consulConfigFromEnv } from "@millwright/clients/consul-config";
import { systemClock } from "@millwright/core/ports";
import type { Gate } from "@millwright/gates/gate";
import type { GateSpec } from "@millwright/gates/gate-spec";
import { makeGates } from "@millwright/gates/make-gates";
import type { CommandProbe } from "@millwright/gates/command-gate";

/** Makes gates that are asked from a folder, with the environment's clients. Throws `badConfiguration` where one cannot be used. */
export function gatesOf(specs: readonly GateSpec[], commands: Pick<CommandProbe, "folder" | "env">): readonly Gate[] {
  return makeGates(specs, {
    clock: systemClock,
    commands,
    discovery: (address) =>
      new ConsulClient({ ...consulConfigFromEnv(commands.env), ...(address === undefined ? {} : { address }) }),
  });
}
