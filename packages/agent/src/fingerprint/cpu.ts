import { readFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";

export interface Cpu {
  /** That this process may use: within its CPU set and its cgroup's quota. */
  readonly cores: number;
  /** MHz of one, the fastest of them. */
  readonly frequency: number;
  /** MHz of all. */
  readonly compute: number;
  /** Empty where the machine does not say. */
  readonly model: string;
}

/** Reads what the kernel says of the processors. `root` is where `/sys` is. */
export async function readCpu(root = "/", listed = cpus(), cores = availableParallelism()): Promise<Cpu> {
  const frequency = (await frequencyOfSysfs(root)) ?? frequencyListed(listed) ?? unknownFrequency;
  return { cores, frequency, compute: cores * frequency, model: listed[0]?.model.trim() ?? "" };
}

/** MHz, where neither sysfs nor `/proc/cpuinfo` says: many virtual machines and small boards. */
const unknownFrequency = 1_000;

// In kHz. The base is what it keeps up; the maximum includes what it reaches for moments, and the present one changes.
async function frequencyOfSysfs(root: string): Promise<number | undefined> {
  const folder = `${root}sys/devices/system/cpu/cpu0/cpufreq`;
  for (const name of ["base_frequency", "cpuinfo_max_freq"]) {
    const text = await readFile(`${folder}/${name}`, "utf8").catch(() => "");
    const kilohertz = Number(text.trim());
    if (kilohertz > 0) return Math.floor(kilohertz / 1_000);
  }
  return undefined;
}

// `/proc/cpuinfo` as Node reads it: 0 where it does not say.
function frequencyListed(listed: readonly { readonly speed: number }[]): number | undefined {
  const fastest = Math.max(0, ...listed.map(({ speed }) => speed));
  return fastest > 0 ? Math.floor(fastest) : undefined;
}
