import type { Allocation, AssignedPort, Holding } from "./allocation.ts";
import { holdsRoom } from "./allocation.ts";
import type { Demand, WantedPort } from "./demand.ts";
import type { Random } from "./random.ts";
import type { Capacity, Node } from "./snapshot.ts";

/** What of a node is in use while a placement is made. It changes as allocations come and go in that placement. */
export class NodeUse {
  readonly node: Node;
  readonly #available: Capacity;
  readonly #used = { cpu: 0, cores: 0, memory: 0, disk: 0, mbits: 0 };
  /** How many allocations hold each port: more than one where its collisions are ignored. */
  readonly #ports = new Map<number, number>();

  constructor(node: Node, allocations: Iterable<Allocation>) {
    this.node = node;
    this.#available = availableOn(node);
    for (const port of node.reservedPorts) this.#ports.set(port, 1);
    for (const allocation of allocations) if (holdsRoom(allocation)) this.add(allocation.holding);
  }

  add(holding: Holding): void {
    this.#change(holding, 1);
  }

  remove(holding: Holding): void {
    this.#change(holding, -1);
  }

  /** What an allocation would hold here, or the first dimension in which the node has not enough. */
  fit(demand: Demand, random: Random): Fit {
    const cpu = demand.cpu + demand.cores * this.#mhzPerCore();
    const needs = { ...demand, cpu };
    const short = dimensions.find((name) => this.#isShort(name, needs[name]));
    if (short) return { ok: false, dimension: short === "mbits" ? "network: bandwidth exceeded" : short };
    const ports = this.#choosePorts(demand.ports, random);
    if (typeof ports === "string") return { ok: false, dimension: ports };
    const { cores, memory, memoryMax, disk, mbits } = demand;
    return { ok: true, holding: { cpu, cores, memory, memoryMax, disk, mbits, ports } };
  }

  /** The free parts of processor and memory, from 0 to 1, were `holding` placed as well. */
  freeWith(holding: Holding): { readonly cpu: number; readonly memory: number } {
    return { cpu: this.#freePart("cpu", holding.cpu), memory: this.#freePart("memory", holding.memory) };
  }

  #freePart(name: "cpu" | "memory", further: number): number {
    const available = this.#available[name];
    return available <= 0 ? 0 : Math.max(0, 1 - (this.#used[name] + further) / available);
  }

  #change(holding: Holding, sign: 1 | -1): void {
    for (const name of dimensions) this.#used[name] += sign * holding[name];
    for (const { value } of holding.ports) this.#ports.set(value, (this.#ports.get(value) ?? 0) + sign);
  }

  #isShort(name: Dimension, needed: number): boolean {
    if (name === "mbits" && this.#available.mbits === 0) return false;
    return needed > 0 && this.#used[name] + needed > this.#available[name];
  }

  #mhzPerCore(): number {
    const { cpu, cores } = this.node.total;
    return cores > 0 ? Math.floor(cpu / cores) : 0;
  }

  /** The ports with their numbers, or why there is no number for one. */
  #choosePorts(wanted: readonly WantedPort[], random: Random): readonly AssignedPort[] | string {
    const chosen: AssignedPort[] = [];
    const taken = new Set<number>();
    for (const port of wanted.filter(({ value }) => value !== 0)) {
      const isFree = !this.#isTaken(port.value) && !taken.has(port.value);
      if (!isFree && !port.ignoreCollision) return `network: reserved port collision ${port.label}=${port.value}`;
      taken.add(port.value);
      chosen.push(assigned(port, port.value));
    }
    for (const port of wanted.filter(({ value }) => value === 0)) {
      const value = this.#freePort(taken, random);
      if (value === undefined) return "network: dynamic port selection failed";
      taken.add(value);
      chosen.push(assigned(port, value));
    }
    return chosen;
  }

  /** A few tries by chance find a port on most nodes; a nearly full one is searched from a place that chance gives. */
  #freePort(taken: ReadonlySet<number>, random: Random): number | undefined {
    const { from, to } = this.node.dynamicPorts;
    const count = to - from + 1;
    const isFree = (port: number) => !this.#isTaken(port) && !taken.has(port);
    for (let attempt = 0; attempt < tries; attempt++) {
      const port = from + random.below(count);
      if (isFree(port)) return port;
    }
    const start = random.below(count);
    for (let i = 0; i < count; i++) {
      const port = from + ((start + i) % count);
      if (isFree(port)) return port;
    }
    return undefined;
  }

  #isTaken(port: number): boolean {
    return (this.#ports.get(port) ?? 0) > 0;
  }
}

export type Fit = { readonly ok: true; readonly holding: Holding } | { readonly ok: false; readonly dimension: string };

/**
 * Why what is wanted of these allocations does not fit on a node together, or undefined where it does: what a commit checks
 * once more against the newest records. What is asked to stop makes room for what comes instead, which starts when it is gone.
 */
export function overCapacity(node: Node, allocations: readonly Allocation[]): string | undefined {
  const wanted = allocations.filter((one) => one.desired === "run" && holdsRoom(one));
  const holdings = wanted.map(({ holding }) => holding);
  const available = availableOn(node);
  for (const name of dimensions) {
    if (name === "mbits" && available.mbits === 0) continue;
    const used = holdings.reduce((sum, holding) => sum + holding[name], 0);
    if (used > available[name] && used > 0) return name === "mbits" ? "network: bandwidth exceeded" : name;
  }
  const taken = new Set(node.reservedPorts);
  for (const { label, value, ignoreCollision } of holdings.flatMap(({ ports }) => ports)) {
    if (taken.has(value) && !ignoreCollision) return `network: reserved port collision ${label}=${value}`;
    taken.add(value);
  }
  return undefined;
}

const tries = 20;

const dimensions = ["cores", "cpu", "memory", "disk", "mbits"] as const;
type Dimension = (typeof dimensions)[number];

function availableOn({ total, reserved }: Node): Capacity {
  return {
    cpu: total.cpu - reserved.cpu,
    cores: total.cores - reserved.cores,
    memory: total.memory - reserved.memory,
    disk: total.disk - reserved.disk,
    mbits: Math.max(0, total.mbits - reserved.mbits),
  };
}

function assigned(wanted: WantedPort, value: number): AssignedPort {
  return { ...wanted, value, to: wanted.to === -1 ? value : wanted.to };
}
