import type { NodeCapacity, NodeDriver } from "@millwright/clients/nomad-node-protocol";
import type { ServerIdentity } from "../context.ts";
import type { NodeEvent } from "../records.ts";
import type { OrchestratorState } from "../state.ts";
import type { NodeView } from "../world.ts";
import { nanoseconds, orNull, timeJson } from "./json-values.ts";

/**
 * A node, without its key. `HTTPAddr` is that of the server: a node's own endpoints answer servers alone, and clients that try there
 * first get their answer.
 */
export function nodeJson(view: NodeView, state: OrchestratorState, identity: ServerIdentity): object {
  const { row, state: kept } = view;
  const { Resources, Reserved } = row.registration;
  return {
    ...headJson(view, state),
    HTTPAddr: `${identity.address}:${identity.port}`,
    TLSEnabled: false,
    // What the API calls so is never shown; clients look that it is empty.
    SecretID: "",
    CgroupParent: "",
    Attributes: row.registration.Attributes,
    Meta: row.registration.Meta,
    Links: {},
    NodeResources: nodeResourcesJson(view),
    ReservedResources: reservedJson(view),
    Resources: { ...oldResources(Resources), Networks: networksJson(view) },
    Reserved: { ...oldResources(Reserved), Networks: null },
    ComputedClass: "",
    DrainStrategy: drainJson(view),
    StatusUpdatedAt: Math.trunc((kept?.statusAt ?? row.registeredAt) / 1_000),
    Events: (kept?.events ?? []).map(eventJson),
    CSIControllerPlugins: {},
    CSINodePlugins: {},
    HostNetworks: null,
    LastMissedHeartbeatIndex: 0,
    LastAllocUpdateIndex: 0,
  };
}

/** What of a node's list may be asked for beside the rest. */
export interface NodeStubFields {
  readonly resources: boolean;
  readonly os: boolean;
}

/** A node as a list has it. */
export function nodeStubJson(view: NodeView, state: OrchestratorState, fields: NodeStubFields): object {
  const { Address, Version, Attributes } = view.row.registration;
  return {
    ...headJson(view, state),
    Address,
    Version,
    ...(fields.os ? { Attributes: { "os.name": Attributes["os.name"] ?? "" } } : {}),
    ...(fields.resources ? { NodeResources: nodeResourcesJson(view), ReservedResources: reservedJson(view) } : {}),
  };
}

function headJson({ row, node, state: kept, created, modified }: NodeView, state: OrchestratorState) {
  const { registration, registeredAt } = row;
  const drivers = Object.entries(registration.Drivers);
  return {
    ID: registration.ID,
    Name: registration.Name,
    Datacenter: registration.Datacenter,
    NodeClass: registration.NodeClass,
    NodePool: registration.NodePool,
    Drain: node.drain !== null,
    LastDrain: null,
    SchedulingEligibility: node.isEligible && !node.drain ? "eligible" : "ineligible",
    Status: node.status,
    StatusDescription: kept?.description ?? "",
    Drivers: Object.fromEntries(drivers.map(([name, driver]) => [name, driverJson(driver, registeredAt)])),
    HostVolumes: null,
    CreateIndex: state.indexOf(created),
    ModifyIndex: state.indexOf(modified),
  };
}

function driverJson({ Attributes, Detected, Healthy, HealthDescription }: NodeDriver, at: number): object {
  return { Attributes, Detected, Healthy, HealthDescription, UpdateTime: timeJson(at) };
}

function nodeResourcesJson(view: NodeView): object {
  const { Resources, DynamicPorts } = view.row.registration;
  return {
    Cpu: {
      CpuShares: Resources.CPU,
      TotalCpuCores: Resources.Cores,
      ReservableCpuCores: Array.from({ length: Resources.Cores }, (_, i) => i),
    },
    Memory: { MemoryMB: Resources.MemoryMB },
    Disk: { DiskMB: Resources.DiskMB },
    Devices: null,
    Networks: networksJson(view),
    NodeNetworks: nodeNetworksJson(view),
    MinDynamicPort: DynamicPorts.From,
    MaxDynamicPort: DynamicPorts.To,
  };
}

function reservedJson(view: NodeView): object {
  const { Reserved, ReservedPorts } = view.row.registration;
  return {
    Cpu: { CpuShares: Reserved.CPU, ReservedCpuCores: null },
    Memory: { MemoryMB: Reserved.MemoryMB },
    Disk: { DiskMB: Reserved.DiskMB },
    Networks: { ReservedHostPorts: ReservedPorts.join(",") },
  };
}

function networksJson({ row: { registration } }: NodeView): readonly object[] {
  const { Address, Resources } = registration;
  const cidr = `${Address}/${Address.includes(":") ? 128 : 32}`;
  const network = { Mode: "host", Device: "", CIDR: cidr, IP: Address, MBits: Resources.MBits, DNS: null };
  return [{ ...network, ReservedPorts: null, DynamicPorts: null }];
}

function oldResources({ CPU, MemoryMB, DiskMB }: NodeCapacity): object {
  return { CPU, Cores: 0, MemoryMB, MemoryMaxMB: 0, DiskMB, IOPS: 0, Devices: null };
}

function nodeNetworksJson({ row: { registration } }: NodeView): readonly object[] {
  const { Address, Resources } = registration;
  const family = Address.includes(":") ? "ipv6" : "ipv4";
  const address = { Family: family, Alias: "default", Address, ReservedPorts: "", Gateway: "" };
  return [{ Mode: "host", Device: "", MacAddress: "", Speed: Resources.MBits, Addresses: [address] }];
}

/** The record has no more than a drain's end; its beginning is that of the event that told it. */
function drainJson({ state }: NodeView): object | null {
  if (!state?.drain) return null;
  const { deadline, ignoresSystemJobs } = state.drain;
  const began = state.events.findLast(({ subsystem }) => subsystem === "Drain")?.at ?? state.statusAt;
  return {
    Deadline: deadline === null ? 0 : nanoseconds(Math.max(0, deadline - began)),
    IgnoreSystemJobs: ignoresSystemJobs,
    ForceDeadline: timeJson(deadline),
    StartedAt: timeJson(began),
  };
}

function eventJson({ at, subsystem, message }: NodeEvent): object {
  return { Message: message, Subsystem: subsystem, Details: orNull({}), Timestamp: timeJson(at), CreateIndex: 0 };
}
