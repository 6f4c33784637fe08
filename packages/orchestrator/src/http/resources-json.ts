import { recordToApi } from "@millwright/jobs/api";
import type { TaskGroup } from "@millwright/jobs/job";
import { type Network, networkShape, type Port, type Resources } from "@millwright/jobs/resources";
import type { Allocation, AssignedPort } from "@millwright/scheduler/allocation";
import { orNull } from "./json-values.ts";

/** An allocation's part of its node, in the new form and in that of clients before 0.9. */
export interface ResourcesJson {
  readonly AllocatedResources: object;
  readonly Resources: object;
  readonly SharedResources: object;
  readonly TaskResources: Readonly<Record<string, object>>;
}

/** `address` is that of the node: under which its ports are reached. */
export function resourcesJson(
  group: TaskGroup,
  { holding }: Pick<Allocation, "holding">,
  address: string,
): ResourcesJson {
  const valued = (network: Network, task: string | null) => networkJson(network, address, portsOf(holding.ports, task));
  const shared = group.networks.map((network) => valued(network, null));
  const tasks = group.tasks.map(({ name, resources, lifecycle }) => {
    return { name, resources, lifecycle, networks: resources.networks.map((network) => valued(network, name)) };
  });
  const sum = (of: (resources: Resources) => number) =>
    tasks.reduce((total, { resources }) => total + of(resources), 0);
  const all = [...shared, ...tasks.flatMap(({ networks }) => networks)];
  return {
    AllocatedResources: {
      Tasks: Object.fromEntries(
        tasks.map(({ name, resources, networks }) => [name, allocatedTask(resources, networks)]),
      ),
      TaskLifecycles: Object.fromEntries(
        tasks.map(({ name, lifecycle }) => [name, lifecycle && { Hook: lifecycle.hook, Sidecar: lifecycle.sidecar }]),
      ),
      Shared: {
        DiskMB: holding.disk,
        Networks: orNull(shared),
        Ports: orNull(holding.ports.map((port) => mapping(port, address))),
      },
    },
    Resources: {
      CPU: sum(({ cpu }) => cpu),
      Cores: sum(({ cores }) => cores),
      MemoryMB: sum(({ memory }) => memory),
      MemoryMaxMB: sum(({ memory, memoryMax }) => memoryMax || memory),
      DiskMB: holding.disk,
      IOPS: sum(({ iops }) => iops),
      Networks: orNull(all),
      Devices: null,
    },
    SharedResources: { ...oldResources(noResources, shared), DiskMB: holding.disk },
    TaskResources: Object.fromEntries(
      tasks.map(({ name, resources, networks }) => [name, oldResources(resources, networks)]),
    ),
  };
}

const noResources = { cpu: 0, cores: 0, memory: 0, memoryMax: 0, disk: 0, iops: 0 };

function oldResources(resources: typeof noResources, networks: readonly object[]): object {
  const { cpu, cores, memory, memoryMax, disk, iops } = resources;
  return {
    CPU: cpu,
    Cores: cores,
    MemoryMB: memory,
    MemoryMaxMB: memoryMax,
    DiskMB: disk,
    IOPS: iops,
    Networks: orNull(networks),
    Devices: null,
  };
}

function allocatedTask({ cpu, memory, memoryMax }: Resources, networks: readonly object[]): object {
  return {
    Cpu: { CpuShares: cpu, ReservedCores: null },
    Memory: { MemoryMB: memory, MemoryMaxMB: memoryMax },
    Networks: orNull(networks),
    Devices: null,
  };
}

function mapping({ label, value, to }: AssignedPort, address: string): object {
  return { Label: label, Value: value, To: to, HostIP: address };
}

function portsOf(ports: readonly AssignedPort[], task: string | null): ReadonlyMap<string, AssignedPort> {
  return new Map(ports.filter((port) => port.task === task).map((port) => [port.label, port]));
}

/** A network of the job, with the numbers that its ports were given. */
function networkJson(network: Network, address: string, given: ReadonlyMap<string, AssignedPort>): object {
  const numbered = (ports: readonly Port[]) =>
    ports.map((port) => ({
      ...port,
      value: given.get(port.label)?.value ?? port.value,
      to: given.get(port.label)?.to ?? port.to,
    }));
  const { reservedPorts, dynamicPorts } = network;
  return recordToApi(networkShape, {
    ...network,
    ip: address,
    reservedPorts: numbered(reservedPorts),
    dynamicPorts: numbered(dynamicPorts),
  });
}
