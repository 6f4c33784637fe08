import { crc32 } from "node:zlib";
import type { AllocationListStub } from "@millwright/clients/nomad-records";
import { uses } from "@millwright/provider/call";
import { defineDataSource } from "@millwright/provider/data-source";
import { bool, computed, list, map, number, object, optional, string } from "@millwright/provider/fields";
import type { NomadConnection } from "./connection.ts";

const allocationType = object({
  ...{ id: string, eval_id: string, name: string, namespace: string, node_id: string, node_name: string },
  ...{ job_id: string, job_type: string, job_version: number, task_group: string },
  ...{ desired_status: string, client_status: string, followup_eval_id: string, next_allocation: string },
  ...{ preempted_by_allocation: string },
  ...{ create_index: number, modify_index: number, create_time: number, modify_time: number },
});

/** `data "nomad_allocations"`: what runs, and what did, as far as it is remembered. */
export const nomadAllocationsData = defineDataSource({
  client: uses<NomadConnection>(),
  schema: {
    id: optional(string, { computed: true }),
    prefix: optional(string, { description: "Only those whose id begins with it: an even number of characters." }),
    filter: optional(string, { description: 'Only those it holds for, as JobID == "web".' }),
    namespace: optional(string, { description: "default when left out; * for all." }),
    allocations: computed(list(allocationType)),
  },
  read: async ({ client: { client }, config, signal }) => {
    const { prefix, filter, namespace } = config;
    const { value } = await client.allocations.list({
      ...(prefix ? { prefix } : {}),
      ...(filter ? { filter } : {}),
      ...(namespace ? { namespace } : {}),
      signal,
    });
    const id = String(crc32(`${prefix ?? ""}${filter ?? ""}`));
    return { ...config, id, allocations: value.map(allocationOf) };
  },
});

function allocationOf(stub: AllocationListStub) {
  return {
    ...{ id: stub.ID, eval_id: stub.EvalID, name: stub.Name, namespace: stub.Namespace },
    ...{ node_id: stub.NodeID, node_name: stub.NodeName },
    ...{ job_id: stub.JobID, job_type: stub.JobType, job_version: stub.JobVersion, task_group: stub.TaskGroup },
    ...{ desired_status: stub.DesiredStatus, client_status: stub.ClientStatus },
    ...{ followup_eval_id: stub.FollowupEvalID, next_allocation: stub.NextAllocation },
    preempted_by_allocation: "",
    ...{ create_index: stub.CreateIndex, modify_index: stub.ModifyIndex },
    ...{ create_time: Number(stub.CreateTime), modify_time: Number(stub.ModifyTime) },
  };
}

/** `data "nomad_deployments"`: the rollouts of the default namespace. */
export const nomadDeploymentsData = defineDataSource({
  client: uses<NomadConnection>(),
  schema: {
    id: optional(string, { computed: true }),
    deployments: computed(list(map(string))),
  },
  read: async ({ client: { client }, signal }) => {
    const { value } = await client.deployments.list({ signal });
    const deployments = value.map(({ ID, JobID, JobVersion, Status, StatusDescription }) => {
      return { ID, JobID, JobVersion: String(JobVersion), Status, StatusDescription };
    });
    return { id: `${client.address}/deployments`, deployments };
  },
});

/** `data "nomad_datacenters"`: where there are nodes. */
export const nomadDatacentersData = defineDataSource({
  client: uses<NomadConnection>(),
  schema: {
    id: optional(string, { computed: true }),
    prefix: optional(string, { description: "Only those whose name begins with it." }),
    ignore_down_nodes: optional(bool, { description: "Leaves out where all nodes are down." }),
    datacenters: computed(list(string)),
  },
  read: async ({ client: { client }, config, signal }) => {
    const { value: nodes } = await client.nodes.list({ signal });
    const seen = nodes.filter(({ Status }) => !(config.ignore_down_nodes && Status === "down"));
    const names = new Set(seen.map(({ Datacenter }) => Datacenter));
    const datacenters = [...names].filter((name) => name.startsWith(config.prefix ?? "")).sort();
    const ignore_down_nodes = config.ignore_down_nodes ?? false;
    return { ...config, ignore_down_nodes, id: `${client.address}/datacenters`, datacenters };
  },
});

/** `data "nomad_regions"`: the regions that the servers know. */
export const nomadRegionsData = defineDataSource({
  client: uses<NomadConnection>(),
  schema: {
    id: optional(string, { computed: true }),
    regions: computed(list(string)),
  },
  read: async ({ client: { client }, signal }) => ({
    id: `${client.address}/regions`,
    regions: await client.agent.regions({ signal }),
  }),
});
