import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type NetworkInterfaceInfo, platform, release, totalmem } from "node:os";

/** Bytes of memory that this process may use: the machine's, or less where its cgroup says so. */
export function readMemory(total = totalmem(), limit = process.constrainedMemory()): number {
  // Without a limit it is 0, or a number beyond any machine.
  return limit > 0 && limit < total ? limit : total;
}

/** The distribution: `debian`, `12`. Source: os-release(5). */
export async function readOs(file = "/etc/os-release"): Promise<{ readonly name: string; readonly version: string }> {
  const text = await readFile(file, "utf8").catch(() => "");
  const value = (name: string) => new RegExp(`^${name}="?([^"\\n]*)"?$`, "m").exec(text)?.[1];
  return { name: value("ID") ?? platform(), version: value("VERSION_ID") ?? release() };
}

/** 1, 2, or undefined where there are none. */
export function cgroupVersion(root = "/sys/fs/cgroup"): 1 | 2 | undefined {
  if (existsSync(`${root}/cgroup.controllers`)) return 2;
  return existsSync(`${root}/memory`) || existsSync(`${root}/cpu`) ? 1 : undefined;
}

/** Megabits per second of the interface that has the address; undefined where it does not say: most virtual ones. */
export async function linkSpeed(
  address: string,
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>,
  root = "/sys/class/net",
): Promise<number | undefined> {
  const [name] = Object.entries(interfaces).find(([, list]) => list?.some((one) => one.address === address)) ?? [];
  if (name === undefined) return undefined;
  const speed = Number((await readFile(`${root}/${name}/speed`, "utf8").catch(() => "")).trim());
  return speed > 0 ? speed : undefined;
}
