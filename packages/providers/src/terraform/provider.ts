import type { Chance } from "@millwright/core/ports";
import { systemChance } from "@millwright/core/ports";
import type { DefinedProvider } from "@millwright/provider/define";
import { defineProvider } from "@millwright/provider/define";
import { terraformFunctions } from "./functions.ts";
import { localStates, remoteState, type RemoteStates } from "./remote-state.ts";
import { terraformData } from "./terraform-data.ts";

/** `terraform.io/builtin/terraform`: what Terraform 1.11 has built in. */
export function terraformProvider(chance: Chance = systemChance, states: RemoteStates = localStates): DefinedProvider {
  return defineProvider({
    name: "terraform",
    version: "1.11.4",
    configure: () => undefined,
    resources: { terraform_data: terraformData(chance) },
    dataSources: { terraform_remote_state: remoteState(states) },
    functions: terraformFunctions,
  });
}
