import { crc32 } from "node:zlib";
import {
  flag,
  listOf,
  mapOf,
  nullable,
  number as count,
  object as anyObject,
  record,
  text,
  type WireOf,
} from "@millwright/clients/nomad-wire";
import { uses } from "@millwright/provider/call";
import { defineDataSource } from "@millwright/provider/data-source";
import { bool, computed, list, map, number, object, optional, required, string } from "@millwright/provider/fields";
import { failure } from "@millwright/provider/problem";
import type { NomadConnection } from "./connection.ts";

const resources = record({
  Cpu: record({ CpuShares: count, TotalCpuCores: count, ReservableCpuCores: listOf(count) }),
  Memory: record({ MemoryMB: count }),
  Disk: record({ DiskMB: count }),
  Networks: listOf(record({ Device: text, CIDR: text, IP: text, Mode: text })),
  Devices: listOf(record({ Vendor: text, Type: text, Name: text, Instances: listOf(anyObject) })),
  MinDynamicPort: count,
  MaxDynamicPort: count,
});

const reserved = record({
  Cpu: record({ CpuShares: count }),
  Memory: record({ MemoryMB: count }),
  Disk: record({ DiskMB: count }),
  Networks: record({ ReservedHostPorts: text }),
});

const node = record({
  ...{ ID: text, Name: text, Datacenter: text, NodeClass: text, NodePool: text, Status: text },
  ...{ StatusDescription: text, SchedulingEligibility: text, Drain: flag },
  ...{ Address: text, HTTPAddr: text, Version: text, Attributes: mapOf(text), Meta: mapOf(text) },
  Drivers: mapOf(record({ Detected: flag, Healthy: flag, Attributes: mapOf(text) })),
  HostVolumes: mapOf(record({ Path: text, ReadOnly: flag, ID: text })),
  NodeResources: nullable(resources),
  ReservedResources: nullable(reserved),
});
type Node = WireOf<typeof node>;

const driverType = object({ name: string, detected: bool, healthy: bool, attributes: map(string) });

const resourcesType = object({
  cpu: list(object({ cpu_shares: number, total_cpu_cores: number, reservable_cpu_cores: list(number) })),
  memory: list(object({ memory_mb: number })),
  disk: list(object({ disk_mb: number })),
  networks: list(object({ device: string, cidr: string, ip: string, mode: string })),
  devices: list(object({ vendor: string, type: string, name: string, count: number })),
  min_dynamic_port: number,
  max_dynamic_port: number,
});

const reservedType = object({
  cpu: list(object({ cpu_shares: number })),
  memory: list(object({ memory_mb: number })),
  disk: list(object({ disk_mb: number })),
  networks: map(string),
});

const common = {
  ...{ name: string, datacenter: string, node_class: string, node_pool: string, drain: bool, status: string },
  ...{ status_description: string, scheduling_eligibility: string, attributes: map(string) },
  drivers: list(driverType),
  node_resources: list(resourcesType),
  reserved_resources: list(reservedType),
};

/** `data "nomad_node"`: a node by its whole id. */
export const nomadNodeData = defineDataSource({
  client: uses<NomadConnection>(),
  schema: {
    id: optional(string, { computed: true }),
    node_id: required(string),
    name: computed(string),
    datacenter: computed(string),
    node_class: computed(string),
    node_pool: computed(string),
    http_addr: computed(string),
    drain: computed(bool),
    status: computed(string),
    status_description: computed(string),
    scheduling_eligibility: computed(string),
    attributes: computed(map(string)),
    meta: computed(map(string)),
    drivers: computed(list(driverType)),
    host_volumes: computed(list(object({ id: string, name: string, path: string, read_only: bool }))),
    node_resources: computed(list(resourcesType)),
    reserved_resources: computed(list(reservedType)),
  },
  read: async ({ client: { client }, config: { node_id }, signal }) => {
    const { value } = await client.read(`/v1/node/${encodeURIComponent(node_id)}`, {}, { signal });
    if (value === undefined)
      throw failure("No such node", `There is no node ${node_id}. List them: nomad node status.`);
    const found = node(value, "the node");
    const { HTTPAddr: http_addr, Meta: meta } = found;
    const host_volumes = sorted(found.HostVolumes).map(([name, { ID, Path, ReadOnly }]) => {
      return { id: ID, name, path: Path, read_only: ReadOnly };
    });
    return { id: found.ID, node_id, http_addr, meta, host_volumes, ...commonOf(found) };
  },
});

/** `data "nomad_nodes"`: the nodes that a filter holds for. */
export const nomadNodesData = defineDataSource({
  client: uses<NomadConnection>(),
  schema: {
    id: optional(string, { computed: true }),
    prefix: optional(string, { description: "Only those whose id begins with it: an even number of characters." }),
    filter: optional(string, { description: 'Only those it holds for, as NodeClass == "big".' }),
    os: optional(bool, { description: "Tells also of attributes that say which system a node runs." }),
    resources: optional(bool, { description: "Tells also of node_resources and reserved_resources." }),
    nodes: computed(list(object({ id: string, address: string, version: string, ...common }))),
  },
  read: async ({ client: { client }, config, signal }) => {
    const [prefix, filter] = [config.prefix ?? "", config.filter ?? ""];
    const [os, withResources] = [config.os ?? false, config.resources ?? false];
    const query = {
      ...{ prefix: prefix || undefined, filter: filter || undefined },
      ...{ os: os || undefined, resources: withResources || undefined },
    };
    const { value } = await client.read("/v1/nodes", query, { signal });
    const nodes = listOf(node)(value, "the nodes").map((one) => {
      return { id: one.ID, address: one.Address, version: one.Version, ...commonOf(one) };
    });
    return {
      ...config,
      os,
      resources: withResources,
      id: String(crc32(`${prefix}${filter}${os}${withResources}`)),
      nodes,
    };
  },
});

function commonOf(found: Node) {
  return {
    ...{ name: found.Name, datacenter: found.Datacenter, node_class: found.NodeClass, node_pool: found.NodePool },
    ...{ drain: found.Drain, status: found.Status, status_description: found.StatusDescription },
    ...{ scheduling_eligibility: found.SchedulingEligibility, attributes: found.Attributes },
    drivers: sorted(found.Drivers).map(([name, { Detected, Healthy, Attributes }]) => {
      return { name, detected: Detected, healthy: Healthy, attributes: Attributes };
    }),
    node_resources: found.NodeResources ? [resourcesOf(found.NodeResources)] : [],
    reserved_resources: found.ReservedResources ? [reservedOf(found.ReservedResources)] : [],
  };
}

function resourcesOf({ Cpu, Memory, Disk, Networks, Devices, ...ports }: WireOf<typeof resources>) {
  const { CpuShares, TotalCpuCores, ReservableCpuCores } = Cpu;
  return {
    cpu: [{ cpu_shares: CpuShares, total_cpu_cores: TotalCpuCores, reservable_cpu_cores: ReservableCpuCores }],
    memory: [{ memory_mb: Memory.MemoryMB }],
    disk: [{ disk_mb: Disk.DiskMB }],
    networks: Networks.map(({ Device, CIDR, IP, Mode }) => ({ device: Device, cidr: CIDR, ip: IP, mode: Mode })),
    devices: Devices.map(({ Vendor, Type, Name, Instances }) => {
      return { vendor: Vendor, type: Type, name: Name, count: Instances.length };
    }),
    min_dynamic_port: ports.MinDynamicPort,
    max_dynamic_port: ports.MaxDynamicPort,
  };
}

function reservedOf({ Cpu, Memory, Disk, Networks }: WireOf<typeof reserved>) {
  return {
    cpu: [{ cpu_shares: Cpu.CpuShares }],
    memory: [{ memory_mb: Memory.MemoryMB }],
    disk: [{ disk_mb: Disk.DiskMB }],
    networks: { reserved_host_ports: Networks.ReservedHostPorts },
  };
}

function sorted<T>(named: Readonly<Record<string, T>>): readonly (readonly [string, T])[] {
  return Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1));
}
