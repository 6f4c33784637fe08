import type { GateSettings } from "@millwright/gates/gate-spec";
import { describe, expect, test } from "vitest";
import { fromApi, jobFromApi, toApi } from "./api.ts";
import { canonical } from "./canonical.ts";
import { diff } from "./diff.ts";
import { gateSettingsOf, jobGatesOf } from "./gates.ts";
import type { Job } from "./job.ts";
import { updateKind } from "./update-kind.ts";
import { validate } from "./validate.ts";

const steady = { refusal: "back", holds: 5_000, grace: 30_000, interval: 1_000 } as const;
const probe = { url: "http://a/", method: "GET", headers: { a: "b" }, statuses: [200, 204] as const, timeout: 4_000 };

const settings: GateSettings = {
  patience: 90_000,
  gates: [
    { kind: "conditions", name: "c", refusal: "stop" },
    { kind: "http", name: "h", ...steady, probe: { ...probe, contains: "ok" } },
    { kind: "command", name: "x", ...steady, command: ["./smoke.sh", "-q"], timeout: 10_000 },
    { kind: "service", name: "s", ...steady, service: { service: "web", least: 2, mostUnhealthy: 1, tag: "v2" } },
    {
      ...{ kind: "budget", name: "p", refusal: "stop", objective: 0.999, window: 60_000, most: 0.5 },
      source: { kind: "prometheus", address: "http://p:9090", query: "up", timeout: 1_000 },
    },
    {
      ...{ kind: "budget", name: "l", refusal: "stop", objective: 0.9, window: 60_000, most: 1 },
      source: { kind: "probe", probe, interval: 500 },
    },
  ],
};

const groups = [{ name: "web", tasks: [{ name: "t", driver: "raw_exec", config: { command: "true" } }] }];

function jobWith(gates: GateSettings | undefined, rest: object = {}): Job {
  return canonical({ id: "a", ...rest, groups, ...(gates ? { gates: jobGatesOf(gates) } : {}) });
}

test("gates come back from a job, over its JSON, as they were", () => {
  const json: unknown = JSON.parse(JSON.stringify(toApi(jobWith(settings))));
  const { value, diagnostics } = jobFromApi(json);
  expect(diagnostics).toEqual([]);
  expect(gateSettingsOf(value.gates!)).toEqual(settings);
  expect(validate(value)).toEqual([]);
});

test("a job without gates says nothing of them", () => {
  expect(Object.keys(toApi(jobWith(undefined)))).not.toContain("Gates");
});

test("what a gate leaves open is as in waves.hcl", () => {
  const { value } = jobFromApi({
    ID: "a",
    Gates: { Gates: [{ Name: "h", Kind: "http", HTTP: { URL: "http://a/" } }] },
  });
  expect(gateSettingsOf(value.gates!)).toEqual({
    patience: 600_000,
    gates: [
      {
        ...{ kind: "http", name: "h", refusal: "stop", holds: 0, grace: 60_000, interval: 2_000 },
        probe: { url: "http://a/", method: "GET", headers: {}, statuses: [200, 399], timeout: 5_000 },
      },
    ],
  });
});

test("other gates are a change that replaces nothing, and that shows no header", () => {
  const [before, after] = ["old", "new"].map((token) =>
    jobWith({
      patience: 1_000,
      gates: [{ kind: "http", name: "h", ...steady, probe: { ...probe, headers: { Authorization: token } } }],
    }),
  );
  expect(updateKind(before!, after!, "web")).toEqual({ kind: "inPlace" });
  const { Objects } = diff(before, after, "changes");
  expect(Objects).toMatchObject([
    { Name: "Gates", Objects: [{ Name: "Gate", Objects: [{ Fields: [{ Name: "Headers[Authorization]" }] }] }] },
  ]);
  expect(JSON.stringify(Objects)).not.toMatch(/"old"|"new"/);
});

describe("gates in the API's JSON", () => {
  const faults: readonly { name: string; gates: unknown; want: string }[] = [
    {
      name: "a name that is not known",
      gates: { Gates: [{ Name: "h", Kind: "http", HTTP: { Url: "http://a/", Headrs: {} } }] },
      want: "Job.Gates.Gates[0].HTTP has no Headrs. Did you mean Headers?",
    },
    {
      name: "a value of another type",
      gates: { Gates: [{ Name: "b", Budget: { Objective: "0.9" } }] },
      want: "Job.Gates.Gates[0].Budget.Objective must be a number, and is a text.",
    },
  ];
  test.each(faults)("$name is told by its path", ({ gates, want }) => {
    expect(fromApi({ ID: "a", Gates: gates }).diagnostics.map(({ detail }) => detail)).toEqual([want]);
  });
});

describe("gates that cannot be", () => {
  const http = { Name: "h", Kind: "http", HTTP: { URL: "http://a/" } };
  const cases: readonly { name: string; gates: readonly object[]; rest?: object; want: string }[] = [
    { name: "of another kind", gates: [{ Name: "h", Kind: "htp" }], want: 'Unknown kind of gate: "htp", did you mean' },
    {
      name: "without what is of their kind",
      gates: [{ Name: "h", Kind: "http" }],
      want: "has not the part of its kind",
    },
    {
      name: "with what is of another kind",
      gates: [{ ...http, Command: { Args: ["x"] } }],
      want: "has not the part of its kind",
    },
    { name: "of one name", gates: [http, http], want: 'There are two gates "h"' },
    {
      name: "with a refusal that is none",
      gates: [{ ...http, Otherwise: "go" }],
      want: 'Unsuitable Otherwise of gate "h"',
    },
    {
      name: "that look nowhere",
      gates: [{ ...http, HTTP: { URL: "ftp://a" } }],
      want: 'Unsuitable URL of gate "h"',
    },
    {
      name: "with statuses that are none",
      gates: [{ ...http, HTTP: { URL: "http://a", Status: "ok" } }],
      want: 'Unsuitable Status of gate "h"',
    },
    {
      name: "whose budget has no source",
      gates: [{ Name: "b", Kind: "budget", Budget: { Objective: 0.9 } }],
      want: 'Budget "b" without a source',
    },
    {
      name: "whose objective is none",
      gates: [{ Name: "b", Kind: "budget", Budget: { Objective: 2, Probe: { URL: "http://a/" } } }],
      want: 'Unsuitable Objective of gate "b"',
    },
    { name: "that look all the time", gates: [{ ...http, Every: "1ms" }], want: 'Unsuitable Every of gate "h"' },
    {
      name: "that look for hours",
      gates: [{ ...http, HTTP: { URL: "http://a", Timeout: "2h" } }],
      want: 'Unsuitable Timeout of gate "h"',
    },
    {
      name: "that are too many",
      gates: Array.from({ length: 33 }, (_, i) => ({ Name: `c${i}`, Kind: "conditions" })),
      want: "A job has 33 gates",
    },
    {
      name: "of a system job",
      gates: [http],
      rest: { Type: "system" },
      want: "Gates of a job that has no deployments",
    },
    {
      name: "of a job that is not updated in batches",
      gates: [http],
      rest: { Update: { MaxParallel: 0, Stagger: 1e9 } },
      want: "Gates of a job that has no deployments",
    },
  ];
  test.each(cases)("$name are refused", ({ gates, rest = {}, want }) => {
    const task = { Name: "t", Driver: "raw_exec", Config: { command: "true" } };
    const { value } = jobFromApi({
      ...{ ID: "a", TaskGroups: [{ Name: "g", Tasks: [task] }], Gates: { Gates: gates } },
      ...rest,
    });
    expect(validate(value).map(({ summary }) => summary)).toEqual([expect.stringContaining(want)]);
  });
});
