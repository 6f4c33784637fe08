import { constants, hostname, networkInterfaces, release } from "node:os";
import type { NodeCapacity, NodeDriver, NodeRegistration } from "@millwright/clients/nomad-node-protocol";
import { messageOf } from "@millwright/core/errors";
import type { TaskDriver } from "../driver/driver.ts";
import { type Cpu, readCpu } from "./cpu.ts";
import { type Disk, readDisk } from "./disk.ts";
import { cgroupVersion, linkSpeed, readMemory, readOs } from "./machine.ts";
import { parsePorts } from "./ports.ts";

/** What a node is and has, in the form in which it registers. */
export type NodeFingerprint = Pick<
  NodeRegistration,
  "Attributes" | "Resources" | "Reserved" | "ReservedPorts" | "DynamicPorts" | "Drivers"
>;

export interface FingerprintOptions {
  readonly drivers: readonly TaskDriver[];
  /** Its file system is what tasks may fill. */
  readonly dataFolder: string;
  /** Under which the node's tasks are reached. */
  readonly address: string;
  /** Of this program. */
  readonly version: string;
  /** What is told instead of what was found: Nomad's `cpu_total_compute` … of a client. */
  readonly told?: ToldResources;
  /** What tasks do not get: Nomad's `reserved` block. */
  readonly reserved?: Partial<NodeCapacity> & { readonly ports?: string };
  /** Both ends included; 20000 to 32000 where not given. */
  readonly dynamicPorts?: { readonly from: number; readonly to: number };
  readonly discovery?: { readonly version: string; readonly datacenter: string; readonly nodeName: string };
  readonly secrets?: { readonly version: string };
}

export interface ToldResources {
  /** MHz of the whole machine. */
  readonly cpu?: number;
  /** MiB. */
  readonly memory?: number;
  readonly disk?: number;
  /** Megabits per second. */
  readonly mbits?: number;
}

/**
 * Finds out what this machine is and has, as the process may use it: within its CPU set, its cgroup's limits and its file
 * system's room. Needs no rights and starts no program. Names of attributes are Nomad's.
 */
export async function fingerprint(options: FingerprintOptions): Promise<NodeFingerprint> {
  const [cpu, disk, os, mbits, drivers] = await Promise.all([
    readCpu(),
    readDisk(options.dataFolder),
    readOs(),
    linkSpeed(options.address, networkInterfaces()),
    Promise.all(options.drivers.map(async (driver) => [driver.name, await look(driver)] as const)),
  ]);
  const memory = readMemory();
  const { told = {} } = options;
  const { ports, ...reserved } = options.reserved ?? {};
  const { from, to } = options.dynamicPorts ?? { from: 20_000, to: 32_000 };
  return {
    Attributes: {
      ...machineAttributes({ cpu, disk, os, memory, compute: told.cpu ?? cpu.compute }),
      ...programAttributes(options),
      ...Object.assign({}, ...drivers.map(([name, driver]) => driverAttributes(name, driver))),
    },
    Resources: {
      CPU: told.cpu ?? cpu.compute,
      Cores: cpu.cores,
      MemoryMB: told.memory ?? Math.floor(memory / mebibyte),
      DiskMB: told.disk ?? Math.floor(disk.free / mebibyte),
      MBits: told.mbits ?? mbits ?? 1_000,
    },
    Reserved: { CPU: 0, Cores: 0, MemoryMB: 0, DiskMB: 0, MBits: 0, ...reserved },
    ReservedPorts: parsePorts(ports ?? ""),
    DynamicPorts: { From: from, To: to },
    Drivers: Object.fromEntries(drivers),
  };
}

const mebibyte = 1024 * 1024;
const driverMilliseconds = 5_000;

async function look(driver: TaskDriver): Promise<NodeDriver> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("it does not answer")), driverMilliseconds);
  });
  try {
    const { detected, healthy, description, attributes } = await Promise.race([driver.fingerprint(), late]);
    return { Detected: detected, Healthy: healthy, HealthDescription: description, Attributes: attributes };
  } catch (error) {
    const why = `The driver ${driver.name} cannot be used: ${messageOf(error)}.`;
    return { Detected: false, Healthy: false, HealthDescription: why, Attributes: {} };
  } finally {
    clearTimeout(timer);
  }
}

function driverAttributes(name: string, driver: NodeDriver): Record<string, string> {
  return driver.Detected ? { [`driver.${name}`]: driver.Healthy ? "1" : "0", ...driver.Attributes } : {};
}

interface Machine {
  readonly cpu: Cpu;
  readonly compute: number;
  readonly disk: Disk;
  readonly os: { readonly name: string; readonly version: string };
  /** Bytes. */
  readonly memory: number;
}

function machineAttributes({ cpu, compute, disk, os, memory }: Machine): Record<string, string> {
  const goArchitectures: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };
  const kernelArchitectures: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" };
  const cgroup = cgroupVersion();
  return {
    "cpu.arch": goArchitectures[process.arch] ?? process.arch,
    "cpu.numcores": String(cpu.cores),
    "cpu.frequency": String(cpu.frequency),
    "cpu.totalcompute": String(compute),
    "cpu.reservablecores": String(cpu.cores),
    ...(cpu.model === "" ? {} : { "cpu.modelname": cpu.model }),
    "kernel.name": process.platform,
    "kernel.version": release(),
    "kernel.arch": kernelArchitectures[process.arch] ?? process.arch,
    "os.name": os.name,
    "os.version": os.version,
    "os.signals": Object.keys(constants.signals).toSorted().join(","),
    ...(cgroup === undefined ? {} : { "os.cgroups.version": String(cgroup) }),
    "memory.totalbytes": String(memory),
    "unique.storage.volume": disk.volume,
    "unique.storage.bytestotal": String(disk.total),
    "unique.storage.bytesfree": String(disk.free),
  };
}

function programAttributes(options: FingerprintOptions): Record<string, string> {
  const { discovery, secrets } = options;
  return {
    "unique.hostname": hostname(),
    "unique.network.ip-address": options.address,
    "nomad.version": options.version,
    "nomad.revision": "millwright",
    ...(discovery && {
      "consul.version": discovery.version,
      "consul.datacenter": discovery.datacenter,
      "unique.consul.name": discovery.nodeName,
    }),
    ...(secrets && { "vault.accessible": "true", "vault.version": secrets.version }),
  };
}
