import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { DriverFingerprint, TaskDriver } from "../driver/driver.ts";
import { readCpu } from "./cpu.ts";
import { volumeOf } from "./disk.ts";
import { fingerprint } from "./fingerprint.ts";
import { cgroupVersion, linkSpeed, readMemory, readOs } from "./machine.ts";
import { parsePorts } from "./ports.ts";

function driver(name: string, found: () => Promise<DriverFingerprint>): TaskDriver {
  const never = () => Promise.reject(new Error("not asked for"));
  return { name, fingerprint: found, start: never, recover: never };
}

function folder(files: Readonly<Record<string, string>> = {}): string {
  const path = mkdtempSync(join(tmpdir(), "fingerprint-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(path, name, ".."), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return `${path}/`;
}

const base = { drivers: [], dataFolder: tmpdir(), address: "127.0.0.1", version: "0.1.0" };

test("this machine is described under Nomad's names, in less than 200 ms", async () => {
  // The best of three, as other tests may run beside it.
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    const before = performance.now();
    await fingerprint(base);
    times.push(performance.now() - before);
  }
  expect(Math.min(...times)).toBeLessThan(200);
  const found = await fingerprint(base);
  expect(found.Attributes).toMatchObject({
    "cpu.numcores": String(availableParallelism()),
    "cpu.frequency": expect.stringMatching(/^\d+$/),
    "kernel.name": "linux",
    "os.signals": expect.stringContaining("SIGUSR1"),
    "memory.totalbytes": expect.stringMatching(/^\d+$/),
    "unique.hostname": expect.any(String),
    "unique.network.ip-address": "127.0.0.1",
    "unique.storage.volume": expect.any(String),
    "nomad.version": "0.1.0",
  });
  expect(found.Attributes["cpu.arch"]).toMatch(/^(amd64|arm64)$/);
  expect(found.Attributes["cpu.totalcompute"]).toBe(String(found.Resources.CPU));
  for (const value of Object.values(found.Resources)) expect(value).toBeGreaterThan(0);
  expect(found.DynamicPorts).toEqual({ From: 20_000, To: 32_000 });
  expect(found.Reserved).toEqual({ CPU: 0, Cores: 0, MemoryMB: 0, DiskMB: 0, MBits: 0 });
});

test("a data folder that is not there yet has its parent's disk", async () => {
  const found = await fingerprint({ ...base, dataFolder: join(tmpdir(), "not", "there", "yet") });
  expect(found.Resources.DiskMB).toBeGreaterThan(0);
});

test("what the operator says comes before what was found", async () => {
  const found = await fingerprint({
    ...base,
    told: { cpu: 4_000, memory: 512, disk: 10, mbits: 50 },
    reserved: { CPU: 100, ports: "22,80-82" },
    dynamicPorts: { from: 30_000, to: 30_010 },
    discovery: { version: "1.0", datacenter: "dc1", nodeName: "n" },
    secrets: { version: "2.0" },
  });
  expect(found.Resources).toMatchObject({ CPU: 4_000, MemoryMB: 512, DiskMB: 10, MBits: 50 });
  expect(found.Reserved).toMatchObject({ CPU: 100, MemoryMB: 0 });
  expect(found.ReservedPorts).toEqual([22, 80, 81, 82]);
  expect(found.DynamicPorts).toEqual({ From: 30_000, To: 30_010 });
  expect(found.Attributes).toMatchObject({
    "cpu.totalcompute": "4000",
    "consul.datacenter": "dc1",
    "unique.consul.name": "n",
    "vault.accessible": "true",
  });
});

test("drivers say for themselves whether they work, and one that fails does not spoil the others", async () => {
  const works = { detected: true, healthy: true, description: "Healthy", attributes: { "driver.good.version": "3" } };
  const missing = { detected: false, healthy: false, description: "Install it.", attributes: {} };
  const found = await fingerprint({
    ...base,
    drivers: [
      driver("good", () => Promise.resolve(works)),
      driver("absent", () => Promise.resolve(missing)),
      driver("broken", () => Promise.reject(new Error("no"))),
    ],
  });
  expect(found.Drivers).toEqual({
    good: { Detected: true, Healthy: true, HealthDescription: "Healthy", Attributes: { "driver.good.version": "3" } },
    absent: { Detected: false, Healthy: false, HealthDescription: "Install it.", Attributes: {} },
    broken: {
      Detected: false,
      Healthy: false,
      HealthDescription: "The driver broken cannot be used: no.",
      Attributes: {},
    },
  });
  const named = Object.entries(found.Attributes).filter(([name]) => name.startsWith("driver."));
  expect(Object.fromEntries(named)).toEqual({ "driver.good": "1", "driver.good.version": "3" });
});

describe("the processors", () => {
  const listed = [{ model: " EPYC ", speed: 2_596.1 }] as never;
  const sysfs = "sys/devices/system/cpu/cpu0/cpufreq";
  test.each([
    { name: "/proc/cpuinfo where there is no sysfs", files: {}, listed, want: 2_596 },
    { name: "sysfs' maximum", files: { [`${sysfs}/cpuinfo_max_freq`]: "3200000\n" }, listed, want: 3_200 },
    {
      name: "sysfs' base before its maximum",
      files: { [`${sysfs}/cpuinfo_max_freq`]: "3200000", [`${sysfs}/base_frequency`]: "2100000" },
      listed,
      want: 2_100,
    },
    { name: "1 GHz where nobody says", files: {}, listed: [] as never, want: 1_000 },
    { name: "1 GHz where the kernel says 0", files: {}, listed: [{ model: "", speed: 0 }] as never, want: 1_000 },
  ])("have the frequency of $name", async ({ files, listed, want }) => {
    const cpu = await readCpu(folder(files), listed, 4);
    expect(cpu).toMatchObject({ cores: 4, frequency: want, compute: 4 * want });
  });
});

test.each([
  { name: "no limit", limit: 0, want: 8_000 },
  { name: "a limit beyond the machine", limit: 2 ** 63, want: 8_000 },
  { name: "a cgroup's limit", limit: 1_000, want: 1_000 },
])("memory with $name", ({ limit, want }) => {
  expect(readMemory(8_000, limit)).toBe(want);
});

test.each([
  { name: "a distribution", text: 'NAME="X"\nID=debian\nVERSION_ID="12"\n', want: { name: "debian", version: "12" } },
  { name: "one without a version", text: "ID=arch\n", want: { name: "arch", version: expect.any(String) } },
  { name: "none", text: undefined, want: { name: "linux", version: expect.any(String) } },
])("the operating system is read: $name", async ({ text, want }) => {
  expect(await readOs(`${folder(text === undefined ? {} : { os: text })}os`)).toEqual(want);
});

test("cgroups are told apart", () => {
  expect(cgroupVersion(folder({ "cgroup.controllers": "" }))).toBe(2);
  expect(cgroupVersion(folder({ "memory/tasks": "" }))).toBe(1);
  expect(cgroupVersion(folder())).toBeUndefined();
});

test.each([
  { name: "says", speed: "10000\n", want: 10_000 },
  { name: "says that it does not know", speed: "-1\n", want: undefined },
])("the speed of an interface that $name", async ({ speed, want }) => {
  const interfaces = { eth0: [{ address: "10.0.0.2" }] } as never;
  expect(await linkSpeed("10.0.0.2", interfaces, folder({ "eth0/speed": speed }))).toBe(want);
  expect(await linkSpeed("10.0.0.3", interfaces, folder({ "eth0/speed": speed }))).toBeUndefined();
});

test("a path's volume is that of the deepest mount above it", () => {
  const mounts = [
    "21 1 254:0 / / rw - ext4 /dev/vda rw",
    "30 21 0:25 / /var/lib/my\\040data rw shared:1 - xfs /dev/vdb rw",
    "31 21 0:26 / /var/lib/my\\040data-2 rw - tmpfs tmpfs rw",
    "",
  ].join("\n");
  expect(volumeOf("/var/lib/my data/alloc", mounts)).toBe("/dev/vdb");
  expect(volumeOf("/var/lib", mounts)).toBe("/dev/vda");
  expect(volumeOf("/", "")).toBe("unknown");
});

test.each(["x", "0", "70000", "90-80", "80-"])("reserved ports are not %s", (text) => {
  expect(() => parsePorts(text)).toThrow("Write numbers and ranges with commas between");
});
