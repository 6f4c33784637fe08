import { clientErrors } from "@millwright/clients/errors";
import type { OperationalError } from "@millwright/core/errors";
import { type Clock, systemClock } from "@millwright/core/ports";
import type { DefinedProvider } from "@millwright/provider/define";
import { defineProvider } from "@millwright/provider/define";
import { type Problem, problem } from "@millwright/provider/problem";
import { nomadAllocationsData, nomadDatacentersData, nomadDeploymentsData, nomadRegionsData } from "./cluster-data.ts";
import { NomadConnection } from "./connection.ts";
import { nomadJobData } from "./job-data.ts";
import { nomadJob } from "./job.ts";
import { nomadNodeData, nomadNodesData } from "./node-data.ts";
import type { Environment } from "./settings.ts";
import { settingsFields } from "./settings.ts";

/** `hashicorp/nomad`: what runs in a Nomad cluster, or in any that speaks its API. */
export function nomadProvider(env: Environment = process.env, clock: Clock = systemClock): DefinedProvider {
  return defineProvider({
    name: "nomad",
    version: "2.6.1",
    schema: settingsFields,
    configure: ({ config }) => new NomadConnection(config, env, clock),
    explain: (error, connection) => connection && explained(error, connection),
    close: (connection) => connection.close(),
    resources: { nomad_job: nomadJob },
    dataSources: {
      nomad_job: nomadJobData,
      nomad_allocations: nomadAllocationsData,
      nomad_deployments: nomadDeploymentsData,
      nomad_datacenters: nomadDatacentersData,
      nomad_regions: nomadRegionsData,
      nomad_node: nomadNodeData,
      nomad_nodes: nomadNodesData,
    },
  });
}

function explained(error: OperationalError, { client, addressSource }: NomadConnection): Problem | undefined {
  if (error.kind === clientErrors.unreachable)
    return problem(`Cannot reach Nomad at ${client.address}`, `${error.message} ${addressSource}`);
  if (error.kind === clientErrors.denied) return problem("Nomad refused the token", error.message);
  return undefined;
}
