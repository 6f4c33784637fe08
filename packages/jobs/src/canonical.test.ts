import { describe, expect, test } from "vitest";
import { canonical } from "./canonical.ts";
import type { JobDraft, TaskGroup } from "./job.ts";

const groupOf = (draft: JobDraft): TaskGroup => canonical({ id: "j", ...draft }).groups[0]!;

describe("what nobody says", () => {
  const byType: readonly { type: string; want: object }[] = [
    {
      type: "service",
      want: {
        restart: { attempts: 2, interval: 1800e9, delay: 15e9, mode: "fail" },
        reschedule: { unlimited: true, delay: 30e9, delayFunction: "exponential", maxDelay: 3600e9 },
        update: { maxParallel: 1, stagger: 30e9 },
        migrate: { maxParallel: 1 },
      },
    },
    {
      type: "batch",
      want: {
        restart: { attempts: 3, interval: 86_400e9, delay: 15e9, mode: "fail" },
        reschedule: { unlimited: false, attempts: 1, interval: 86_400e9, delay: 5e9, delayFunction: "constant" },
        update: null,
        migrate: null,
      },
    },
    {
      type: "system",
      want: { restart: { attempts: 2 }, reschedule: null, update: { maxParallel: 1 }, migrate: null },
    },
    { type: "sysbatch", want: { restart: { attempts: 3 }, reschedule: null, update: null, migrate: null } },
  ];
  test.each(byType)("is filled in as a $type job has it", ({ type, want }) => {
    expect(groupOf({ type, groups: [{ name: "g" }] })).toMatchObject(want);
  });

  test("in a task goes down from its group, and in a group from the job", () => {
    const group = groupOf({
      update: { stagger: 120e9, maxParallel: 3 },
      reschedule: { attempts: 4, unlimited: false },
      groups: [
        {
          name: "g",
          update: { maxParallel: 2 },
          restart: { attempts: 7 },
          tasks: [{ name: "t", restart: { mode: "delay" } }],
        },
      ],
    });
    expect(group).toMatchObject({
      update: { stagger: 120e9, maxParallel: 2, healthCheck: "checks" },
      reschedule: { attempts: 4, unlimited: false, delay: 30e9 },
      tasks: [{ restart: { attempts: 7, mode: "delay" } }],
    });
  });

  test("of a service is its name, those of its checks, and what its checks do on failure", () => {
    const { services, tasks } = groupOf({
      groups: [
        {
          name: "g",
          services: [{ port: "a" }],
          tasks: [
            {
              name: "t",
              services: [
                { checks: [{ type: "tcp" }], checkRestart: { limit: 3 } },
                { name: "${BASE}-$TASKGROUP", checks: [{ name: "own", onUpdate: "ignore" }] },
              ],
            },
          ],
        },
      ],
    });
    expect(services).toMatchObject([{ name: "j-g", task: "", provider: "consul" }]);
    expect(tasks[0]!.services).toMatchObject([
      {
        name: "j-g-t",
        task: "t",
        checks: [
          {
            name: 'service: "j-g-t" check',
            task: "t",
            onUpdate: "require_healthy",
            checkRestart: { limit: 3, grace: 1e9 },
          },
        ],
      },
      { name: "j-g-t-g", checks: [{ name: "own", onUpdate: "ignore", checkRestart: null }] },
    ]);
  });

  test("of a processor is a share of one, unless whole cores are asked for", () => {
    const { tasks } = groupOf({
      groups: [{ name: "g", tasks: [{ name: "a" }, { name: "b", resources: { cores: 2 } }] }],
    });
    expect(tasks.map(({ resources: { cpu, cores, memory } }) => [cpu, cores, memory])).toEqual([
      [100, 0, 300],
      [0, 2, 300],
    ]);
  });
});

test("a strategy of zeros, as old servers write it, is none", () => {
  const zeros = { stagger: 0, maxParallel: 0, healthCheck: "", autoRevert: false };
  expect(groupOf({ type: "batch", update: zeros, groups: [{ name: "g" }] }).update).toBeNull();
  expect(groupOf({ update: zeros, groups: [{ name: "g" }] }).update).toMatchObject({ maxParallel: 1 });
});

test("an empty text is as nothing said", () => {
  const job = canonical({ id: "j", name: "", region: "", type: "", namespace: "" });
  expect(job).toMatchObject({ name: "j", region: "global", type: "service", namespace: "default" });
});

test("a count that nobody says comes from a scaling block's least", () => {
  expect(groupOf({ groups: [{ name: "g", scaling: { min: 3 } }] }).count).toBe(3);
});
