import type { Json } from "@millwright/jobs/shape";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { taskFolders } from "../allocation/folders.ts";
import type { TaskLaunch } from "../driver/driver.ts";
import { parseDockerConfig } from "./config.ts";
import { checkVolumeLinks, containerName, containerOf, type DockerPermissions } from "./container.ts";

const launch: TaskLaunch = {
  allocation: "8ba85cef-0000-0000-0000-000000000000",
  group: "cache",
  task: "redis",
  config: {},
  user: "",
  env: { A: "1", NOMAD_PORT_http: "20001" },
  folders: {
    allocation: "/d/alloc/1",
    shared: "/d/alloc/1/alloc",
    task: "/d/alloc/1/redis",
    local: "/d/alloc/1/redis/local",
    secrets: "/d/alloc/1/redis/secrets",
  },
  resources: { cpu: 500, cores: 0, memory: 256, memoryMax: 0 },
  ports: [{ label: "http", value: 20_001, to: 0, hostAddress: "10.0.0.1" }],
  output: { stdout: "/o", stderr: "/e" },
  progress: () => undefined,
  signal: new AbortController().signal,
};

interface Made {
  readonly Env: readonly string[];
  readonly HostConfig: Record<string, unknown>;
  readonly [name: string]: unknown;
}

function made(
  config: Record<string, Json> = {},
  more: Partial<TaskLaunch> = {},
  permissions: Partial<DockerPermissions> = {},
): Made {
  const place = { image: "sha256:1", secrets: "/dev/shm/secrets", frequency: 2_000 };
  const all = { privileged: false, hostVolumes: false, ...permissions };
  return containerOf({ ...launch, ...more }, parseDockerConfig({ image: "redis", ...config }), place, all) as Made;
}

test("a container has the allocation's folders, its labels and its name", () => {
  const container = made();
  expect(container.HostConfig["Binds"]).toEqual([
    "/d/alloc/1/alloc:/alloc",
    "/d/alloc/1/redis/local:/local",
    "/dev/shm/secrets:/secrets",
  ]);
  expect(container["Labels"]).toMatchObject({ "com.hashicorp.nomad.alloc_id": launch.allocation });
  expect(containerName({ ...launch, task: "my task/1" })).toBe(`my_task_1-${launch.allocation}`);
});

test.each<{ name: string; config: Record<string, Json>; want: Record<string, unknown> }>([
  { name: "the image's own", config: {}, want: {} },
  { name: "a command with arguments", config: { command: "/x", args: ["-a"] }, want: { Cmd: ["/x", "-a"] } },
  { name: "arguments for the image's entrypoint", config: { args: ["-a"] }, want: { Cmd: ["-a"] } },
  { name: "an entrypoint", config: { entrypoint: ["/i"] }, want: { Entrypoint: ["/i"] } },
])("it runs $name", ({ config, want }) => {
  const { Cmd, Entrypoint } = made(config);
  expect({ ...(Cmd !== undefined && { Cmd }), ...(Entrypoint !== undefined && { Entrypoint }) }).toEqual(want);
});

describe("ports", () => {
  const bound = (inside: number) => ({
    [`${inside}/tcp`]: [{ HostIp: "10.0.0.1", HostPort: "20001" }],
    [`${inside}/udp`]: expect.anything(),
  });
  test.each<{ name: string; config: Record<string, Json>; to?: number; want: unknown; env: string }>([
    { name: "are the same inside where nobody says", config: {}, want: bound(20_001), env: "20001" },
    { name: "are what port_map says", config: { port_map: { http: 8080 } }, want: bound(8080), env: "8080" },
    { name: "are what the network's to says", config: { ports: ["http"] }, to: 80, want: bound(80), env: "80" },
    { name: "that the task does not name are not published", config: { ports: [] }, want: {}, env: "20001" },
    { name: "of the node's own network are not published", config: { network_mode: "host" }, want: {}, env: "20001" },
  ])("$name", ({ config, to = 0, want, env }) => {
    const container = made(config, { ports: [{ ...launch.ports[0]!, to }] });
    expect(container.HostConfig["PortBindings"]).toEqual(want);
    expect(container.Env).toContain(`NOMAD_PORT_http=${env}`);
  });

  test("that the job does not have are refused", () => {
    expect(() => made({ port_map: { web: 80 } })).toThrow('There is no port "web" in the job\'s network block');
  });
});

const mebibyte = 1024 * 1024;

test.each<{ name: string; memoryMax: number; config?: Record<string, Json>; want: unknown }>([
  { name: "what it is given", memoryMax: 0, want: { Memory: 256 * mebibyte, MemorySwap: 256 * mebibyte } },
  {
    name: "more where there is some",
    memoryMax: 512,
    want: { Memory: 512 * mebibyte, MemorySwap: 512 * mebibyte, MemoryReservation: 256 * mebibyte },
  },
  { name: "all there is", memoryMax: -1, want: { MemoryReservation: 256 * mebibyte } },
  {
    name: "a limit of its own",
    memoryMax: 0,
    config: { memory_hard_limit: 300 },
    want: { Memory: 300 * mebibyte, MemorySwap: 300 * mebibyte, MemoryReservation: 256 * mebibyte },
  },
])("memory: $name", ({ memoryMax, config = {}, want }) => {
  const { HostConfig } = made(config, { resources: { ...launch.resources, memoryMax } });
  const memory = Object.entries(HostConfig).filter(([name]) => name.startsWith("Memory"));
  expect(Object.fromEntries(memory)).toEqual(want);
});

test("processors are shared by what tasks ask for, and limited only where the job says so", () => {
  expect(made().HostConfig).toMatchObject({ CpuShares: 500 });
  expect(made().HostConfig).not.toHaveProperty("CpuQuota");
  expect(made({ cpu_hard_limit: true }).HostConfig).toMatchObject({ CpuPeriod: 100_000, CpuQuota: 25_000 });
});

describe("what the node does not allow is refused", () => {
  test.each<{ name: string; config: Record<string, Json>; says: string; allow: Partial<DockerPermissions> }>([
    {
      name: "privileged",
      config: { privileged: true },
      says: "privileged = true is not allowed",
      allow: { privileged: true },
    },
    {
      name: "a capability",
      config: { cap_add: ["net_admin"] },
      says: "cap_add may not hold net_admin",
      allow: { privileged: true },
    },
    {
      name: "a volume",
      config: { volumes: ["/etc:/host"] },
      says: "outside the task's folders",
      allow: { hostVolumes: true },
    },
    {
      name: "a volume that goes up",
      config: { volumes: ["../../x:/host"] },
      says: "outside",
      allow: { hostVolumes: true },
    },
    {
      name: "the folder where the agent keeps what it knows of the allocation",
      config: { volumes: ["..:/all"] },
      says: "outside",
      allow: { hostVolumes: true },
    },
    ...["ipc_mode", "uts_mode", "userns_mode"].map((name) => ({
      name: `the node's own: ${name}`,
      config: { [name]: "host" },
      says: `${name} = "host" is not allowed`,
      allow: { privileged: true },
    })),
    ...["pid_mode", "ipc_mode"].map((name) => ({
      name: `another container's: ${name}`,
      config: { [name]: "container:other" },
      says: `${name} = "container:other" is not allowed`,
      allow: { privileged: true },
    })),
    {
      name: "less confinement",
      config: { security_opt: ["seccomp=unconfined"] },
      says: "security_opt may not hold seccomp=unconfined",
      allow: { privileged: true },
    },
  ])("$name", ({ config, says, allow }) => {
    expect(() => made(config)).toThrow(says);
    expect(() => made(config, {}, allow)).not.toThrow();
  });

  test("a volume that is a link out of the task's folders, as a task could have made one", async () => {
    const allocation = mkdtempSync(join(tmpdir(), "volumes-"));
    try {
      const own = taskFolders(allocation, "redis");
      for (const folder of [own.local, own.secrets, join(own.shared, "data")]) mkdirSync(folder, { recursive: true });
      symlinkSync("/", join(own.shared, "data", "all"));
      const check = (volume: string, hostVolumes: boolean) =>
        checkVolumeLinks([volume], { ...launch, folders: own }, { privileged: false, hostVolumes });
      await expect(check("../alloc/data/all/etc:/host", false)).rejects.toThrow("outside the task's folders");
      await expect(check("../alloc/data/all/etc:/host", true)).resolves.toBeUndefined();
      await expect(check("../alloc/data/new:/data", false)).resolves.toBeUndefined();
    } finally {
      rmSync(allocation, { recursive: true });
    }
  });

  test("and what is usual, or the allocation's own, is allowed", () => {
    const { HostConfig } = made({ cap_add: ["CAP_CHOWN"], volumes: ["local/data:/data:ro", "../alloc/data:/shared"] });
    expect(HostConfig["Binds"]).toContain("/d/alloc/1/redis/local/data:/data:ro");
    expect(HostConfig["Binds"]).toContain("/d/alloc/1/alloc/data:/shared");
  });
});

test.each([
  { name: "one number", text: "2048", want: { Name: "nofile", Soft: 2048, Hard: 2048 } },
  { name: "two", text: "1024:4096", want: { Name: "nofile", Soft: 1024, Hard: 4096 } },
])("a ulimit of $name", ({ text, want }) => {
  expect(made({ ulimit: [{ nofile: text }] }).HostConfig["Ulimits"]).toEqual([want]);
});

test("a volume and a ulimit that are none are refused", () => {
  expect(() => made({ volumes: ["/data"] })).toThrow('The volume "/data" is none');
  expect(() => made({ ulimit: { nofile: "many" } })).toThrow('The ulimit nofile cannot be "many"');
});
