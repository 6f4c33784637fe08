import type { NodeCapacity } from "@millwright/clients/nomad-node-protocol";
import type { Allocation } from "@millwright/scheduler/allocation";
import { nodeId } from "@millwright/scheduler/ids";
import type { Capacity, Node } from "@millwright/scheduler/snapshot";
import type { AllocRecord, ClientRecord, NodeRecord, NodeStateRecord } from "./records.ts";

/** An allocation as the scheduler sees it; pending where its node has said nothing yet. */
export function allocationOf({ allocation }: AllocRecord, client: ClientRecord | undefined): Allocation {
  return {
    ...allocation,
    client: client?.status ?? "pending",
    healthy: client?.health?.healthy ?? null,
    started: client?.started ?? null,
    finished: client?.finished ?? null,
  };
}

/** A node as the scheduler sees it; one whose status nobody has written yet takes no work, and is not barred from it either. */
export function nodeOf({ registration }: NodeRecord, state: NodeStateRecord | undefined): Node {
  const { ID, Name, Datacenter, NodeClass, NodePool, Attributes, Meta, DynamicPorts, Drivers } = registration;
  const working = Object.entries(Drivers).filter(([, { Detected, Healthy }]) => Detected && Healthy);
  return {
    id: nodeId(ID),
    name: Name,
    datacenter: Datacenter,
    nodeClass: NodeClass,
    pool: NodePool,
    attributes: Attributes,
    meta: Meta,
    total: capacityOf(registration.Resources),
    reserved: capacityOf(registration.Reserved),
    reservedPorts: registration.ReservedPorts,
    dynamicPorts: { from: DynamicPorts.From, to: DynamicPorts.To },
    drivers: working.map(([name]) => name),
    status: state?.status ?? "initializing",
    isEligible: state?.isEligible ?? true,
    drain: state?.drain ?? null,
  };
}

function capacityOf({ CPU, Cores, MemoryMB, DiskMB, MBits }: NodeCapacity): Capacity {
  return { cpu: CPU, cores: Cores, memory: MemoryMB, disk: DiskMB, mbits: MBits };
}
