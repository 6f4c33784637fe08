import { describe, expect, test } from "vitest";
import { randomJob } from "../test/random-job.ts";
import { fromApi, jobFromApi, toApi } from "./api.ts";
import { canonical } from "./canonical.ts";

const seeds = Array.from({ length: 60 }, (_, i) => i);

test("a job read from the API's JSON is the one that was written, whatever is in it", () => {
  for (const seed of seeds) {
    const job = randomJob(seed);
    const { value, diagnostics } = jobFromApi(JSON.parse(JSON.stringify(toApi(job))));
    expect(diagnostics, `seed ${seed}`).toEqual([]);
    expect(value, `seed ${seed}`).toEqual(job);
  }
});

test("a canonical job stays as it is", () => {
  for (const seed of seeds) {
    const job = randomJob(seed);
    expect(canonical(job), `seed ${seed}`).toEqual(job);
  }
});

describe("the API's JSON", () => {
  test("may leave out all but an id, spell names in any case, and have fields that are not known", () => {
    const { value, diagnostics } = jobFromApi({ id: "a", Status: "running", taskgroups: [{ Name: "g", Tasks: null }] });
    expect(diagnostics).toEqual([]);
    expect(value).toMatchObject({
      id: "a",
      name: "a",
      type: "service",
      priority: 50,
      groups: [{ name: "g", count: 1 }],
    });
  });

  test("may have durations as texts", () => {
    const { value } = fromApi({ ID: "a", Update: { Stagger: "30s", MinHealthyTime: 5_000_000_000 } });
    expect(value.update).toEqual({ stagger: 30e9, minHealthyTime: 5e9 });
  });

  test("has volumes as a map by name", () => {
    const { value } = fromApi({ TaskGroups: [{ Name: "g", Volumes: { data: { Type: "host", Source: "s" } } }] });
    expect(value.groups![0]!.volumes).toEqual([{ name: "data", type: "host", source: "s" }]);
    expect(toApi(canonical(value))).toMatchObject({
      TaskGroups: [{ Volumes: { data: { Name: "data", Source: "s" } } }],
    });
  });

  const faults: readonly { name: string; json: unknown; want: string }[] = [
    { name: "no object", json: [], want: "Job must be an object, and is a list." },
    {
      name: "a text for a number",
      json: { Priority: "50" },
      want: "Job.Priority must be a whole number, and is a text.",
    },
    {
      name: "a fault deep inside",
      json: { TaskGroups: [{ Tasks: [{ Env: { A: 1 } }] }] },
      want: "Job.TaskGroups[0].Tasks[0].Env must be a map of texts, and is an object.",
    },
    {
      name: "a bad duration",
      json: { Update: { Stagger: "30" } },
      want: 'Job.Update.Stagger: time: missing unit in duration "30".',
    },
    { name: "no list", json: { TaskGroups: { a: 1 } }, want: "Job.TaskGroups must be a list, and is an object." },
  ];
  test.each(faults)("$name is told by its path", ({ json, want }) => {
    expect(fromApi(json).diagnostics.map(({ detail }) => detail)).toEqual([want]);
  });
});
