import { formatRange } from "@millwright/core/source";
import { sourceFile } from "@millwright/hcl/source-file";
import { describe, expect, test } from "vitest";
import { canonical } from "./canonical.ts";
import type { JobDraft, TaskGroupDraft } from "./job.ts";
import { readJob } from "./read-job.ts";
import type { TaskDraft } from "./task.ts";
import { validate } from "./validate.ts";

const task: TaskDraft = { name: "t", driver: "docker" };
const withTask = (more: TaskDraft): JobDraft => withGroup({ tasks: [{ ...task, ...more }] });
const withGroup = (more: TaskGroupDraft): JobDraft => ({ id: "j", groups: [{ name: "g", tasks: [task], ...more }] });
const withJob = (more: JobDraft): JobDraft => ({ ...withGroup({}), ...more });
const withService = (more: object): JobDraft => withTask({ services: [{ name: "s", port: "80", ...more }] });
const check = { type: "http", path: "/", interval: 1e9, timeout: 1e9 };

function summariesOf(draft: JobDraft): readonly string[] {
  return validate(canonical(draft)).map(({ summary }) => summary);
}

describe("what is wrong with a job is said in Nomad's words", () => {
  const rows: readonly { draft: JobDraft; want: string }[] = [
    { draft: withJob({ id: "a b" }), want: "Job ID contains a space" },
    { draft: withJob({ id: "" }), want: "Missing job ID" },
    { draft: withJob({ type: "cron" }), want: 'Invalid job type: "cron"' },
    { draft: withJob({ priority: 101 }), want: "Job priority must be between [1, 100]" },
    { draft: withJob({ datacenters: [""] }), want: "Job datacenter must be non-empty string" },
    { draft: withJob({ groups: [] }), want: "Missing job task groups" },
    {
      draft: withJob({ groups: [withGroup({}).groups![0]!, withGroup({}).groups![0]!] }),
      want: "Job task group 2 redefines 'g' from group 1",
    },
    {
      draft: withJob({ periodic: { spec: "@daily" } }),
      want: 'Periodic can only be used with "batch" or "sysbatch" scheduler',
    },
    { draft: withJob({ type: "batch", periodic: {} }), want: "Must specify a spec" },
    { draft: withJob({ type: "batch", periodic: { spec: "* * *" } }), want: 'Invalid cron spec "* * *"' },
    {
      draft: withJob({ type: "batch", update: { maxParallel: 2 } }),
      want: 'Job type "batch" does not allow update block',
    },
    {
      draft: { ...withGroup({ count: 2 }), type: "system" },
      want: "Job task group g has count 2. Count cannot exceed 1 with system scheduler",
    },
    {
      draft: withJob({ constraints: [{ lTarget: "${a}", operand: "~", rTarget: "x" }] }),
      want: 'Unknown constraint type "~"',
    },
    {
      draft: withJob({ constraints: [{ lTarget: "${a}", operand: "regexp", rTarget: "(" }] }),
      want: "Regular expression failed to compile: error parsing regexp: missing closing ): `(`",
    },
    {
      draft: withJob({ affinities: [{ lTarget: "${a}", rTarget: "x", weight: 0 }] }),
      want: "Affinity weight cannot be zero",
    },
    {
      draft: withJob({
        spreads: [
          {
            attribute: "${a}",
            targets: [
              { value: "x", percent: 70 },
              { value: "y", percent: 40 },
            ],
          },
        ],
      }),
      want: "Sum of spread target percentages must not be greater than 100%; got 110%",
    },
    {
      draft: {
        ...withGroup({ reschedule: { attempts: 1, interval: 60e9, delay: 5e9, delayFunction: "constant" } }),
        type: "system",
      },
      want: "System jobs should not have a reschedule policy",
    },
    { draft: withGroup({ count: -1 }), want: "Task group count can't be negative" },
    { draft: withGroup({ tasks: [] }), want: "Missing tasks for task group" },
    { draft: withGroup({ tasks: [task, task] }), want: "Task 2 redefines 't' from task 1" },
    {
      draft: withGroup({
        tasks: [
          { ...task, leader: true },
          { ...task, name: "u", leader: true },
        ],
      }),
      want: "Only one task may be marked as leader",
    },
    {
      draft: withGroup({ ephemeralDisk: { size: 5 }, tasks: [{ ...task, logs: { maxFiles: 1, maxFileSize: 1 } }] }),
      want: "minimum DiskMB value is 10; got 5",
    },
    { draft: withGroup({ restart: { mode: "always" } }), want: 'Unsupported restart mode: "always"' },
    {
      draft: withGroup({ restart: { attempts: 100, interval: 60e9, delay: 15e9 } }),
      want: "Nomad can't restart the TaskGroup 100 times in an interval of 1m0s with a delay of 15s",
    },
    { draft: withGroup({ reschedule: { delay: 1e9 } }), want: "Delay cannot be less than 5s (got 1s)" },
    {
      draft: withGroup({ update: { minHealthyTime: 600e9 } }),
      want: "Minimum healthy time must be less than healthy deadline: 10m0s > 5m0s",
    },
    {
      draft: withGroup({ update: { healthyDeadline: 900e9 } }),
      want: "Healthy deadline must be less than progress deadline: 15m0s > 10m0s",
    },
    {
      draft: withGroup({ update: { autoPromote: true } }),
      want: "Auto Promote requires a Canary count greater than zero",
    },
    {
      draft: withGroup({
        networks: [
          {
            dynamicPorts: [
              { label: "a", value: 80 },
              { label: "b", value: 80 },
            ],
          },
        ],
      }),
      want: "Static port 80 already reserved by taskgroup network:a",
    },
    {
      draft: withGroup({ networks: [{ dynamicPorts: [{ label: "a" }, { label: "a" }] }] }),
      want: "Port label a already in use by taskgroup network",
    },
    { draft: withTask({ driver: "" }), want: "Missing task driver" },
    { draft: withTask({ name: "a/b" }), want: "Task name cannot include slashes" },
    { draft: withTask({ name: ".." }), want: 'Task name cannot be ".."' },
    { draft: withTask({ name: ".millwright" }), want: 'Task name cannot be ".millwright"' },
    { draft: withTask({ name: "private" }), want: 'Task name cannot be "private"' },
    { draft: withTask({ name: "alloc" }), want: 'Task name cannot be "alloc"' },
    { draft: withTask({ resources: { memory: 5 } }), want: "minimum MemoryMB value is 10; got 5" },
    {
      draft: withTask({ resources: { cpu: 100, cores: 1 } }),
      want: "Task can only ask for 'cpu' or 'cores' resource, not both",
    },
    {
      draft: withTask({ resources: { memoryMax: 100 } }),
      want: "MemoryMaxMB value (100) should be larger than MemoryMB value (300)",
    },
    {
      draft: withTask({ logs: { maxFiles: 50 } }),
      want: "log storage (500 MB) must be less than requested disk capacity (300 MB)",
    },
    { draft: withTask({ lifecycle: { hook: "after" } }), want: "Lifecycle validation failed: invalid hook: after" },
    {
      draft: withTask({ templates: [{ data: "x", destination: "../../x" }] }),
      want: "template destination escapes the task directory",
    },
    {
      draft: withTask({ templates: [{ data: "x", destination: "a", changeMode: "signal" }] }),
      want: "Must specify signal value when change mode is signal",
    },
    {
      draft: withTask({ artifacts: [{ source: "a", options: { checksum: "sha256:12" } }] }),
      want: "invalid sha256 checksum: 12",
    },
    { draft: withTask({ vault: { policies: ["root"] } }), want: 'Can not specify "root" policy' },
    {
      draft: withTask({ volumeMounts: [{ volume: "v", destination: "/d" }] }),
      want: "Volume Mount (v) references undefined volume v",
    },
    {
      draft: withService({ name: "a_b" }),
      want: 'Service name must be valid per RFC 1123 and can contain only alphanumeric characters or dashes and must be no longer than 63 characters: "a_b"',
    },
    {
      draft: withService({ port: "http" }),
      want: 'port label "http" referenced by services s does not exist',
    },
    {
      draft: withService({ checks: [{ ...check, type: "ping" }] }),
      want: 'invalid check type ("ping"), must be one of grpc, http, script, tcp',
    },
    { draft: withService({ checks: [{ ...check, path: "" }] }), want: "http type must have http path" },
    {
      draft: withService({ checks: [{ ...check, interval: 5e8 }] }),
      want: "interval (500ms) cannot be lower than 1s",
    },
    {
      draft: withService({ port: "", checks: [check] }),
      want: 'check "service: \\"s\\" check" is missing a port',
    },
    {
      draft: withService({ provider: "nomad", checks: [{ ...check, type: "script" }] }),
      want: 'invalid check type ("script"), must be one of tcp, http',
    },
  ];
  test.each(rows)("$want", ({ draft, want }) => {
    expect(summariesOf(draft)).toEqual([want]);
  });

  test("and not of one that is right", () => {
    const draft = withService({ port: "http", checks: [check] });
    const [group] = draft.groups!;
    const networks = [{ dynamicPorts: [{ label: "http" }] }];
    expect(summariesOf({ ...draft, groups: [{ ...group!, networks }] })).toEqual([]);
    expect(summariesOf({ ...withGroup({}), type: "batch", periodic: { spec: "*/15 * * * *" } })).toEqual([]);
  });
});

test("each fault is told, with the place of the part that it belongs to and what to do", () => {
  const text = `job "j" {
  priority = 0
  group "g" {
    count = -1
    task "t" {
      driver = "x"
      resources { memory = 1 }
    }
  }
}
`;
  const { value } = readJob(sourceFile("j.nomad", text));
  const told = validate(canonical(value!.draft), value!.places).map(
    ({ subject, detail, address }) => `${formatRange(subject!)} ${address} ${detail}`,
  );
  expect(told).toEqual([
    "j.nomad:1,1-8 undefined Write a priority from 1 to 100; 50 is the usual one.",
    'j.nomad:3,3-12 g In group "g": Write how many of it run.',
    'j.nomad:5,5-13 g.t In task "t" of group "g": Write memory in MiB.',
  ]);
});

test("more at a time than there are is a warning", () => {
  const found = validate(canonical(withGroup({ count: 1, update: { maxParallel: 3 } })));
  expect(found.map(({ severity, summary }) => [severity, summary])).toEqual([
    ["warning", "Update max parallel count is greater than task group count (3 > 1)"],
  ]);
});

test("a job of thousands of tasks, ports and faults is looked at in time in proportion to it", () => {
  const many = Array.from({ length: 5_000 }, (_, i) => i);
  const tasks = many.map((i) => ({ ...task, name: `t${i}`, services: [{ name: `s${i}`, port: `none${i}` }] }));
  const networks = [{ dynamicPorts: many.map((i) => ({ label: `p${i}` })) }];
  const began = performance.now();
  const found = validate(canonical({ id: "j", groups: [{ name: "g", tasks, networks }] }));
  const faults = found.filter(({ summary }) => summary.includes("does not exist"));
  expect(faults).toHaveLength(5_000);
  expect(faults[0]?.detail).toContain("There are: p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, ….");
  // Each with each it would be 25 million: seconds.
  expect(performance.now() - began).toBeLessThan(2_000);
});
