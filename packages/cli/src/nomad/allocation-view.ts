import type {
  Allocation,
  AllocatedNetwork,
  AllocationMetric,
  AllocationUsage,
  JobRecord,
  TaskEvent,
  TaskState,
} from "@millwright/clients/nomad-records";
import { formatDuration } from "@millwright/text/duration";
import type { CommandIo } from "../io.ts";
import { styleOf } from "../views/style.ts";
import {
  age,
  bytes,
  type Detail,
  id,
  keyValues,
  mebibyte,
  moment,
  momentOf,
  type Row,
  section,
  table,
  when,
} from "./format.ts";
import { byGroup } from "@millwright/clients/nomad-placement";

/** What is shown beside an allocation, where it could be had. */
export interface AllocationAround {
  /** What its tasks use now; undefined where they do not run, or its node does not answer. */
  readonly usage: AllocationUsage | undefined;
  /** When it may be placed elsewhere, a text of RFC 3339; empty where that is not waited for. */
  readonly rescheduleAt: string;
}

export interface AllocationDetail extends Detail {
  /** Show all that is known of what its tasks use. */
  readonly stats: boolean;
}

/** An allocation by itself. */
export function allocationBlock(
  allocation: Allocation,
  around: AllocationAround,
  detail: AllocationDetail,
  io: CommandIo,
): string {
  const isWhole = { ...detail, verbose: true };
  return [
    keyValues([
      ["ID", id(allocation.ID, isWhole)],
      ...head(allocation, around, detail),
      ...metricRows(allocation.Metrics, detail),
    ]),
    addresses(allocation, io),
    ...tasksOf(allocation).map((name) => taskBlock(name, allocation, around, detail, io)),
    detail.verbose && allocation.Metrics ? scores(allocation.Metrics, io) : "",
  ].join("");
}

function head(allocation: Allocation, { rescheduleAt }: AllocationAround, detail: Detail): readonly Row[] {
  const { DeploymentID, DeploymentStatus: health, NextAllocation, PreviousAllocation, RescheduleTracker } = allocation;
  const attempts = RescheduleTracker?.Events.length ?? 0;
  return [
    ["Eval ID", id(allocation.EvalID, detail)],
    ["Name", allocation.Name],
    ["Node ID", id(allocation.NodeID, detail)],
    ["Node Name", allocation.NodeName],
    ["Job ID", allocation.JobID],
    ["Job Version", String(allocation.Job?.Version ?? "")],
    ["Client Status", allocation.ClientStatus],
    ["Client Description", allocation.ClientDescription],
    ["Desired Status", allocation.DesiredStatus],
    ["Desired Description", allocation.DesiredDescription],
    ["Created", when(allocation.CreateTime, detail)],
    ["Modified", when(allocation.ModifyTime, detail)],
    ...(DeploymentID === "" ? [] : [["Deployment ID", id(DeploymentID, detail)] as const]),
    ...(DeploymentID === "" ? [] : [["Deployment Health", healthWord(health)] as const]),
    ...(health?.Canary ? [["Canary", "true"] as const] : []),
    ...(NextAllocation === "" ? [] : [["Replacement Alloc ID", id(NextAllocation, detail)] as const]),
    ...(PreviousAllocation === "" ? [] : [["Previous Alloc ID", id(PreviousAllocation, detail)] as const]),
    ...(attempts === 0 ? [] : [["Reschedule Attempts", String(attempts)] as const]),
    ...(rescheduleAt === "" ? [] : [["Reschedule Eligibility", age(Date.parse(rescheduleAt), detail.now)] as const]),
  ];
}

function healthWord(health: Allocation["DeploymentStatus"]): string {
  if (!health || health.Healthy === null) return "unset";
  return health.Healthy ? "healthy" : "unhealthy";
}

function metricRows(metrics: AllocationMetric | null, { verbose }: Detail): readonly Row[] {
  if (!metrics || !verbose) return [];
  return [
    ["Evaluated Nodes", String(metrics.NodesEvaluated)],
    ["Filtered Nodes", String(metrics.NodesFiltered)],
    ["Exhausted Nodes", String(metrics.NodesExhausted)],
    ["Allocation Time", formatDuration(BigInt(Math.round(metrics.AllocationTime)))],
    ["Failures", String(metrics.CoalescedFailures)],
  ];
}

function addresses({ AllocatedResources }: Allocation, io: CommandIo): string {
  const shared = AllocatedResources?.Shared;
  const reserved = new Set(shared?.Networks.flatMap((network) => network.ReservedPorts.map(({ Label }) => Label)));
  const rows = (shared?.Ports ?? []).map(({ Label, Value, To, HostIP }) => [
    `*${Label}`,
    reserved.has(Label) ? "no" : "yes",
    `${address(HostIP, Value)}${To > 0 ? ` -> ${To}` : ""}`,
  ]);
  if (rows.length === 0) return "";
  const mode = shared?.Networks.find(({ Mode }) => Mode !== "" && Mode !== "host")?.Mode;
  return section(
    io,
    `Allocation Addresses${mode === undefined ? "" : ` (mode = ${JSON.stringify(mode)})`}:`,
    table(["Label", "Dynamic", "Address"], rows),
  );
}

function address(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function tasksOf({ TaskStates, AllocatedResources }: Allocation): readonly string[] {
  return [...new Set([...Object.keys(TaskStates), ...Object.keys(AllocatedResources?.Tasks ?? {})])].sort();
}

function taskBlock(
  name: string,
  allocation: Allocation,
  { usage }: AllocationAround,
  detail: AllocationDetail,
  io: CommandIo,
): string {
  const style = styleOf(io.view);
  const state = allocation.TaskStates[name];
  const hook = lifecycleOf(name, allocation.Job);
  const role = hook === "main" ? "" : ` (${hook})`;
  const used = usage?.Tasks[name]?.ResourceUsage ?? undefined;
  const title = style.bold(`Task ${JSON.stringify(name)}${role} is ${JSON.stringify(state?.State || "pending")}`);
  return [
    `\n${title}\n`,
    resources(name, allocation, used),
    detail.stats && used ? statistics(used, io) : "",
    state ? events(state) : "",
  ].join("");
}

/** `main`, or by which hook and how a task runs beside the main ones: `prestart sidecar`. */
function lifecycleOf(task: string, job: JobRecord | null): string {
  const found = job?.TaskGroups.flatMap(({ Tasks }) => Tasks).find(({ Name }) => Name === task)?.Lifecycle;
  return found ? `${found.Hook}${found.Sidecar ? " sidecar" : ""}` : "main";
}

type Usage = NonNullable<AllocationUsage["Tasks"][string]["ResourceUsage"]>;

function resources(name: string, { AllocatedResources }: Allocation, used: Usage | undefined): string {
  const given = AllocatedResources?.Tasks[name];
  if (!given || !AllocatedResources) return "";
  const { CpuShares } = given.Cpu;
  const { MemoryMB, MemoryMaxMB } = given.Memory;
  const cpu = used ? `${Math.floor(used.CpuStats.TotalTicks)}/${CpuShares} MHz` : `${CpuShares} MHz`;
  const room = bytes(MemoryMB * mebibyte);
  const memory = used ? `${bytes(used.MemoryStats.RSS || used.MemoryStats.Usage)}/${room}` : room;
  const lines = given.Networks.flatMap(taskAddresses);
  const rows = [
    [cpu, memory, bytes(AllocatedResources.Shared.DiskMB * mebibyte), lines[0] ?? ""],
    ...(MemoryMaxMB > 0 ? [["", `Max: ${bytes(MemoryMaxMB * mebibyte)}`, "", lines[1] ?? ""]] : []),
    ...lines.slice(MemoryMaxMB > 0 ? 2 : 1).map((line) => ["", "", "", line]),
  ];
  return `Task Resources:\n${blankTable(["CPU", "Memory", "Disk", "Addresses"], rows)}`;
}

// Here an empty cell is empty.
function blankTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  return table(
    titles,
    rows.map((row) => row.map((cell) => cell || " ")),
  );
}

function taskAddresses({ IP, ReservedPorts, DynamicPorts }: AllocatedNetwork): readonly string[] {
  return [...ReservedPorts, ...DynamicPorts].map(({ Label, Value }) => `${Label}: ${address(IP, Value)}`);
}

function statistics({ CpuStats, MemoryStats }: Usage, io: CommandIo): string {
  const memory = [
    ["RSS", "RSS", MemoryStats.RSS],
    ["Cache", "Cache", MemoryStats.Cache],
    ["Swap", "Swap", MemoryStats.Swap],
    ["Usage", "Usage", MemoryStats.Usage],
    ["Max Usage", "Max Usage", MemoryStats.MaxUsage],
  ] as const;
  const cpu = [
    ["Percent", "Percent", `${CpuStats.Percent.toFixed(2)}%`],
    ["System Mode", "System Mode", `${CpuStats.SystemMode.toFixed(2)}%`],
    ["User Mode", "User Mode", `${CpuStats.UserMode.toFixed(2)}%`],
  ] as const;
  const measured = memory.filter(([name]) => MemoryStats.Measured.includes(name));
  const measuredCpu = cpu.filter(([name]) => CpuStats.Measured.includes(name));
  return [
    measured.length > 0
      ? section(
          io,
          "Memory Stats",
          table(
            measured.map(([, title]) => title),
            [measured.map(([, , count]) => bytes(count))],
          ),
        )
      : "",
    measuredCpu.length > 0
      ? section(
          io,
          "CPU Stats",
          table(
            measuredCpu.map(([, title]) => title),
            [measuredCpu.map(([, , text]) => text)],
          ),
        )
      : "",
  ].join("");
}

function events(state: TaskState): string {
  const { StartedAt, FinishedAt, Restarts, LastRestart } = state;
  const times = keyValues([
    ["Started At", momentOf(StartedAt)],
    ["Finished At", momentOf(FinishedAt)],
    ["Total Restarts", String(Restarts)],
    ["Last Restart", momentOf(LastRestart)],
  ]);
  const recent = [...state.Events].reverse().map((event) => [eventTime(event), event.Type, eventText(event)]);
  const shown = recent.length === 0 ? "" : `\nRecent Events:\n${table(["Time", "Type", "Description"], recent)}`;
  return `\nTask Events:\n${times}${shown}`;
}

function eventTime({ Time }: TaskEvent): string {
  return moment(Number(Time / 1_000_000n));
}

// A description over several lines would break the table.
function eventText({ DisplayMessage, Message }: TaskEvent): string {
  return (DisplayMessage || Message).replaceAll(/\s*\n\s*/g, "; ");
}

function scores({ ScoreMetaData }: AllocationMetric, io: CommandIo): string {
  if (ScoreMetaData.length === 0) return "";
  const names = [...new Set(ScoreMetaData.flatMap(({ Scores }) => Object.keys(Scores)))].sort();
  const rows = ScoreMetaData.map(({ NodeID, Scores, NormScore }) => [
    NodeID,
    ...names.map((name) => threeDigits(Scores[name] ?? 0)),
    threeDigits(NormScore),
  ]);
  return section(io, "Placement Metrics", table(["Node", ...names, "final score"], rows));
}

function threeDigits(score: number): string {
  return String(Number(score.toPrecision(3)));
}

/** The tasks of an allocation, a line each. */
export function shortAllocation(allocation: Allocation, detail: Detail, io: CommandIo): string {
  const head = keyValues([
    ["ID", id(allocation.ID, detail)],
    ["Name", allocation.Name],
    ["Created", when(allocation.CreateTime, detail)],
    ["Modified", when(allocation.ModifyTime, detail)],
  ]);
  const rows = byGroup(allocation.TaskStates).map(([name, { State, Events }]) => {
    const last = Events.at(-1);
    return [name, State, last?.Type ?? "", last ? eventTime(last) : "", lifecycleOf(name, allocation.Job)];
  });
  return head + section(io, "Tasks", table(["Name", "State", "Last Event", "Time", "Lifecycle"], rows));
}
