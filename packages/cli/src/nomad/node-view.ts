import type { Allocation, AllocationListStub, Node, NodeListStub, NodeUsage } from "@millwright/clients/nomad-records";
import type { CommandIo } from "../io.ts";
import { bytes, type Detail, id, keyValues, mebibyte, momentOf, type Row, section, span, table } from "./format.ts";
import { allocationTable } from "./job-view.ts";
import { byGroup } from "@millwright/clients/nomad-placement";

/** Nodes, a line each. */
export function nodeList(
  nodes: readonly NodeListStub[],
  running: ReadonlyMap<string, number> | undefined,
  detail: Pick<Detail, "verbose"> & { readonly os: boolean },
): string {
  const { verbose, os } = detail;
  const titles = [
    ...["ID", "Node Pool", "DC", "Name", ...(os ? ["OS"] : []), "Class", ...(verbose ? ["Address", "Version"] : [])],
    ...["Drain", "Eligibility", "Status", ...(running ? ["Running Allocs"] : [])],
  ];
  const rows = nodes.map((node) => [
    ...[
      id(node.ID, detail),
      node.NodePool || "default",
      node.Datacenter,
      node.Name,
      ...(os ? [node.Attributes["os.name"] ?? ""] : []),
      node.NodeClass,
    ],
    ...(verbose ? [node.Address, node.Version] : []),
    ...[String(node.Drain), node.SchedulingEligibility, node.Status],
    ...(running ? [String(running.get(node.ID) ?? 0)] : []),
  ]);
  return table(titles, rows);
}

/** What is shown beside a node. */
export interface NodeAround {
  readonly allocations: readonly Allocation[];
  /** Undefined where the node does not answer. */
  readonly usage: NodeUsage | undefined;
}

/** A node by itself. */
export function nodeBlock(
  node: Node,
  around: NodeAround,
  detail: Detail & { readonly short: boolean },
  io: CommandIo,
): string {
  const { allocations, usage } = around;
  const table = section(io, "Allocations", allocationTable(allocations.map(stubOf), detail));
  if (detail.short) return keyValues([...head(node), ["Drivers", drivers(node)]]) + table;
  const uptime: readonly Row[] = usage ? [["Uptime", span(usage.Uptime * 1000)]] : [];
  const rows = [...head(node), ...uptime, ...(detail.verbose ? [] : [["Driver Status", drivers(node)] as const])];
  return [
    keyValues(rows),
    detail.verbose ? driverTable(node, io) : "",
    events(node, detail, io),
    allocated(node, allocations, io),
    usage ? used(node, usage, io) : "",
    table,
    detail.verbose ? section(io, "Attributes", sorted(node.Attributes)) : "",
    detail.verbose ? section(io, "Meta", sorted(node.Meta)) : "",
  ].join("");
}

function head(node: Node): readonly Row[] {
  const { DrainStrategy: drain } = node;
  return [
    ["ID", node.ID],
    ["Name", node.Name],
    ["Node Pool", node.NodePool || "default"],
    ["Class", node.NodeClass],
    ["DC", node.Datacenter],
    ["Drain", drain ? `true; ${deadline(drain.ForceDeadline)}` : String(node.Drain)],
    ["Eligibility", node.SchedulingEligibility],
    ["Status", node.Status],
    ...(node.StatusDescription === "" ? [] : [["Status Description", node.StatusDescription] as const]),
    ...(node.HTTPAddr === "" ? [] : [["Address", node.HTTPAddr] as const]),
    ["Host Volumes", Object.keys(node.HostVolumes).sort().join(",")],
  ];
}

function deadline(text: string): string {
  const until = momentOf(text, "");
  return until === "" ? "no deadline" : `${until} deadline`;
}

function drivers({ Drivers }: Node): string {
  const shown = byGroup(Drivers).filter(([, { Detected }]) => Detected);
  return shown.map(([name, { Healthy }]) => (Healthy ? name : `${name} (unhealthy)`)).join(",");
}

function driverTable({ Drivers }: Node, io: CommandIo): string {
  const rows = byGroup(Drivers).map(([name, { Detected, Healthy, HealthDescription, UpdateTime }]) => [
    ...[name, String(Detected), String(Healthy), momentOf(UpdateTime), HealthDescription],
  ]);
  return section(io, "Drivers", table(["Driver", "Detected", "Healthy", "Time", "Message"], rows));
}

function events({ Events }: Node, { verbose }: Detail, io: CommandIo): string {
  const titles = ["Time", "Subsystem", "Message", ...(verbose ? ["Details"] : [])];
  const rows = [...Events].reverse().map(({ Timestamp, Subsystem, Message, Details }) => [
    ...[momentOf(Timestamp), Subsystem, Message],
    ...(verbose
      ? [
          byGroup(Details)
            .map(([name, value]) => `${name} = ${value}`)
            .join(" "),
        ]
      : []),
  ]);
  return rows.length === 0 ? "" : section(io, "Node Events", table(titles, rows));
}

const terminal: ReadonlySet<string> = new Set(["complete", "failed", "lost"]);

function allocated(node: Node, allocations: readonly Allocation[], io: CommandIo): string {
  const live = allocations.filter(({ ClientStatus }) => !terminal.has(ClientStatus));
  const sum = (amount: (one: Allocation) => number) => live.reduce((total, one) => total + amount(one), 0);
  const perTask = (one: Allocation) => Object.values(one.AllocatedResources?.Tasks ?? {});
  const cpu = sum((one) => perTask(one).reduce((total, { Cpu }) => total + Cpu.CpuShares, 0));
  const memory = sum((one) => perTask(one).reduce((total, { Memory }) => total + Memory.MemoryMB, 0));
  const disk = sum((one) => one.AllocatedResources?.Shared.DiskMB ?? 0);
  const room = roomOf(node);
  const row = [
    `${cpu}/${room.cpu} MHz`,
    `${bytes(memory * mebibyte)}/${bytes(room.memory * mebibyte)}`,
    `${bytes(disk * mebibyte)}/${bytes(room.disk * mebibyte)}`,
  ];
  return section(io, "Allocated Resources", table(["CPU", "Memory", "Disk"], [row]));
}

/** MHz and MiB that work may have: what there is without what is kept for the machine itself. */
function roomOf({ NodeResources: all, ReservedResources: kept }: Node) {
  return {
    cpu: (all?.Cpu.CpuShares ?? 0) - (kept?.Cpu.CpuShares ?? 0),
    memory: (all?.Memory.MemoryMB ?? 0) - (kept?.Memory.MemoryMB ?? 0),
    disk: (all?.Disk.DiskMB ?? 0) - (kept?.Disk.DiskMB ?? 0),
  };
}

function used({ NodeResources }: Node, { CPUTicksConsumed, Memory, AllocDirStats }: NodeUsage, io: CommandIo): string {
  const share = (one: { readonly Used: number; readonly Size: number } | null) =>
    one ? `${bytes(one.Used)}/${bytes(one.Size)}` : "";
  const row = [
    `${Math.floor(CPUTicksConsumed)}/${NodeResources?.Cpu.CpuShares ?? 0} MHz`,
    share(Memory && { Used: Memory.Used, Size: Memory.Total }),
    share(AllocDirStats),
  ];
  return section(io, "Host Resource Utilization", table(["CPU", "Memory", "Disk"], [row]));
}

function sorted(map: Readonly<Record<string, string>>): string {
  return keyValues(byGroup(map));
}

function stubOf(allocation: Allocation): AllocationListStub {
  const { Job } = allocation;
  return { ...allocation, JobType: Job?.Type ?? "", JobVersion: Job?.Version ?? 0 };
}
