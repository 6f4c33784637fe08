import { readFile, statfs } from "node:fs/promises";
import { cpus, freemem, totalmem, uptime } from "node:os";

/** What a machine is at, in the form of Nomad's `GET /v1/client/stats`. Bytes, percent, seconds; `Timestamp` is nanoseconds since 1970. */
export interface HostStats {
  readonly AllocDirStats: DiskStats;
  readonly CPU: readonly CpuStats[];
  /** MHz that are in use. */
  readonly CPUTicksConsumed: number;
  readonly DeviceStats: readonly [];
  readonly DiskStats: readonly DiskStats[];
  readonly Memory: { readonly Available: number; readonly Free: number; readonly Total: number; readonly Used: number };
  readonly Timestamp: number;
  readonly Uptime: number;
}

interface DiskStats {
  readonly Device: string;
  readonly Mountpoint: string;
  readonly Size: number;
  readonly Used: number;
  readonly Available: number;
  readonly UsedPercent: number;
  readonly InodesUsedPercent: number;
}

interface CpuStats {
  readonly CPU: string;
  readonly User: number;
  readonly System: number;
  readonly Idle: number;
  readonly TotalPercent: number;
}

type Times = ReturnType<typeof cpus>[number]["times"];

/** Reads a machine; shares of time are since the reading before, and since its start at the first. */
export class HostStatsReader {
  readonly #folder: string;
  readonly #compute: number;
  #before: readonly Times[] = [];

  /** `folder` is on the file system that allocations fill; `compute` is the MHz of all cores. */
  constructor(folder: string, compute: number) {
    this.#folder = folder;
    this.#compute = compute;
  }

  async read(now: number): Promise<HostStats> {
    const times = cpus().map((cpu) => cpu.times);
    const shares = times.map((one, i) => sharesOf(one, this.#before[i]));
    this.#before = times;
    const disk = await diskOf(this.#folder);
    const busy = shares.reduce((sum, { TotalPercent }) => sum + TotalPercent, 0) / Math.max(1, shares.length);
    const available = await availableMemory();
    return {
      AllocDirStats: disk,
      CPU: shares.map((share, i) => ({ CPU: `cpu${i}`, ...share })),
      CPUTicksConsumed: (this.#compute * busy) / 100,
      DeviceStats: [],
      DiskStats: [disk],
      Memory: { Available: available, Free: freemem(), Total: totalmem(), Used: totalmem() - available },
      Timestamp: now * 1_000_000,
      Uptime: Math.floor(uptime()),
    };
  }
}

function sharesOf(now: Times, before: Times = { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 }): Omit<CpuStats, "CPU"> {
  const used = {
    user: now.user + now.nice - before.user - before.nice,
    system: now.sys + now.irq - before.sys - before.irq,
    idle: now.idle - before.idle,
  };
  const all = Math.max(1, used.user + used.system + used.idle);
  const percent = (part: number) => (100 * part) / all;
  const [User, System, Idle] = [percent(used.user), percent(used.system), percent(used.idle)];
  return { User, System, Idle, TotalPercent: User + System };
}

async function diskOf(folder: string): Promise<DiskStats> {
  const { blocks, bavail, bfree, bsize, files, ffree } = await statfs(folder);
  const used = (blocks - bfree) * bsize;
  const available = bavail * bsize;
  return {
    Device: "",
    Mountpoint: folder,
    Size: blocks * bsize,
    Used: used,
    Available: available,
    UsedPercent: used + available > 0 ? (100 * used) / (used + available) : 0,
    InodesUsedPercent: files > 0 ? (100 * (files - ffree)) / files : 0,
  };
}

// Node's own figure counts what the kernel would give back as used.
async function availableMemory(): Promise<number> {
  const text = await readFile("/proc/meminfo", "utf8").catch(() => "");
  const kibibytes = /^MemAvailable:\s*(\d+) kB$/m.exec(text)?.[1];
  return kibibytes === undefined ? freemem() : Number(kibibytes) * 1024;
}
