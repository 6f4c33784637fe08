import type { HttpReply, HttpRequest } from "@millwright/core/http";
import { emptyReply, jsonReply } from "@millwright/core/http-reply";
import type { HeldAllocation } from "../../allocation/allocations.ts";
import type { TaskStats } from "../../driver/driver.ts";
import { allocationOf, badRequest, type EndpointContext, taskNamed } from "./context.ts";
import type { EndpointCall, EndpointRoute } from "./route.ts";

/** `/v1/client/allocation`: what is done to allocations on their node. Source: Nomad's API documentation, "Client". */
export function allocationRoutes(context: EndpointContext): EndpointRoute[] {
  const idOf = (call: EndpointCall) => call.params["alloc"] ?? "";
  return [
    {
      method: "GET",
      pattern: "/v1/client/allocation/:alloc/stats",
      handle: (call) => stats(allocationOf(context, idOf(call)), call, context),
    },
    {
      method: "GET",
      pattern: "/v1/client/allocation/:alloc/checks",
      // Those of services that Nomad itself would keep; here all are Consul's.
      handle: async (call) => (allocationOf(context, idOf(call)), jsonReply({}, false)),
    },
    ...both("/v1/client/allocation/:alloc/restart", async (call) => {
      const held = allocationOf(context, idOf(call));
      const { TaskName: task } = await textsIn(call.request, ["TaskName"]);
      if (task) taskNamed(held, task);
      await context.allocations.restart(held.wanted.ID, task || undefined);
      return jsonReply({}, false);
    }),
    ...both("/v1/client/allocation/:alloc/signal", async (call) => {
      const held = allocationOf(context, idOf(call));
      const { Task = "", TaskName = "", Signal = "" } = await textsIn(call.request, ["Task", "TaskName", "Signal"]);
      const task = Task || TaskName;
      if (Signal === "") throw badRequest("must provide a signal");
      if (task) taskNamed(held, task);
      await context.allocations.signal(held.wanted.ID, task || undefined, Signal);
      return jsonReply({}, false);
    }),
    ...collecting("/v1/client/allocation/:alloc/gc", async (call) => {
      await context.allocations.collectGarbage(allocationOf(context, idOf(call)).wanted.ID);
      return emptyReply(200);
    }),
  ];
}

function both(pattern: string, handle: EndpointRoute["handle"]): EndpointRoute[] {
  return [
    { method: "PUT", pattern, handle },
    { method: "POST", pattern, handle },
  ];
}

/** Collecting garbage changes something, and Nomad's own client asks for it with a GET. */
export function collecting(pattern: string, handle: EndpointRoute["handle"]): EndpointRoute[] {
  return [{ method: "GET", pattern, handle }, ...both(pattern, handle)];
}

async function stats(held: HeldAllocation, { request }: EndpointCall, context: EndpointContext): Promise<HttpReply> {
  const wanted = request.query.get("task") ?? "";
  if (wanted !== "") taskNamed(held, wanted);
  const running = [...held.tasks].filter(([name]) => wanted === "" || name === wanted);
  const read = await Promise.all(running.map(async ([name, { handle }]) => [name, await handle?.stats()] as const));
  const known = read.flatMap(([name, found]) => (found ? [[name, found] as const] : []));
  const mhz = context.compute / Math.max(1, context.cores);
  const usages = known.map(([name, found]) => [name, { usage: usageOf(found, mhz), found }] as const);
  const tasks = usages.map(([name, { usage, found }]) => [
    name,
    {
      Pids: Object.fromEntries(found.pids.map((pid) => [String(pid), null])),
      ResourceUsage: usage,
      Timestamp: found.at * 1_000_000,
    },
  ]);
  const body = {
    ResourceUsage: sumOf(usages.map(([, { usage }]) => usage)),
    Tasks: Object.fromEntries(tasks),
    Timestamp: context.clock.now() * 1_000_000,
  };
  return jsonReply(body, request.query.has("pretty"));
}

interface Usage {
  readonly CpuStats: {
    readonly Measured: readonly string[];
    readonly Percent: number;
    readonly SystemMode: number;
    readonly UserMode: number;
    readonly ThrottledPeriods: number;
    readonly ThrottledTime: number;
    /** MHz. */
    readonly TotalTicks: number;
  };
  readonly MemoryStats: {
    readonly Measured: readonly string[];
    readonly RSS: number;
    readonly Cache: number;
    readonly Swap: number;
    readonly Usage: number;
    readonly MaxUsage: number;
    readonly KernelUsage: number;
    readonly KernelMaxUsage: number;
  };
  readonly DeviceStats: readonly [];
}

function usageOf({ memory, cpuPercent }: Pick<TaskStats, "memory" | "cpuPercent">, mhz: number): Usage {
  return {
    CpuStats: {
      Measured: ["Percent", "Total Ticks"],
      Percent: cpuPercent,
      SystemMode: 0,
      UserMode: 0,
      ThrottledPeriods: 0,
      ThrottledTime: 0,
      TotalTicks: (cpuPercent / 100) * mhz,
    },
    MemoryStats: {
      Measured: ["RSS", "Usage"],
      RSS: memory,
      Cache: 0,
      Swap: 0,
      Usage: memory,
      MaxUsage: 0,
      KernelUsage: 0,
      KernelMaxUsage: 0,
    },
    DeviceStats: [],
  };
}

function sumOf(usages: readonly Usage[]): Usage {
  const total = (pick: (usage: Usage) => number) => usages.reduce((sum, usage) => sum + pick(usage), 0);
  const all = usageOf({ memory: total(({ MemoryStats }) => MemoryStats.RSS), cpuPercent: 0 }, 0);
  const Percent = total(({ CpuStats }) => CpuStats.Percent);
  const TotalTicks = total(({ CpuStats }) => CpuStats.TotalTicks);
  return { ...all, CpuStats: { ...all.CpuStats, Percent, TotalTicks } };
}

const mostBody = 64 * 1024;

/** The texts of these names in a request's JSON; an empty body has none. */
async function textsIn<const N extends string>(
  request: HttpRequest,
  names: readonly N[],
): Promise<Readonly<Partial<Record<N, string>>>> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of request.body()) {
    length += piece.length;
    if (length > mostBody) throw badRequest("The request's body is too large.");
    pieces.push(piece);
  }
  const json = parsed(Buffer.concat(pieces).toString());
  const found: Partial<Record<N, string>> = {};
  for (const name of names) {
    const value = json[name] ?? "";
    if (typeof value !== "string") throw badRequest(`${name} is to be a text.`);
    found[name] = value;
  }
  return found;
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below, as for what is JSON and no object.
  }
  throw badRequest("The request's body is no JSON object.");
}
