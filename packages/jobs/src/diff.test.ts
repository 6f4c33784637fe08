import { readFileSync } from "node:fs";
import { sourceFile } from "@millwright/hcl/source-file";
import { describe, expect, test } from "vitest";
import { randomJob } from "../test/random-job.ts";
import { annotate } from "./annotate.ts";
import { canonical } from "./canonical.ts";
import type { JobDiff } from "./diff.ts";
import { diff } from "./diff.ts";
import type { Job } from "./job.ts";
import { readJob } from "./read-job.ts";
import { plainText, renderDiff } from "./render-diff.ts";

const folder = new URL("../testdata/incrementalism/", import.meta.url);
const myapp = readFileSync(new URL("myapp.job", folder), "utf8");

function jobIn(text: string): Job {
  const { value, diagnostics } = readJob(sourceFile("test.job", text));
  expect(diagnostics).toEqual([]);
  return canonical(value!.draft);
}

/** The text with each `from` replaced; one that is not there is a fault of the test. */
function replaced(text: string, changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce((changed, [from, to]) => {
    expect(changed).toContain(from);
    return changed.replace(from, to);
  }, text);
}

const noUpdates = { Ignore: 0, Place: 0, Migrate: 0, Stop: 0, InPlaceUpdate: 0, DestructiveUpdate: 0, Canary: 0 };

describe("the diff of two jobs, as it is shown,", () => {
  test("names the groups and tasks of a new job, and what they force", () => {
    const found = annotate(diff(undefined, jobIn(myapp)), { myapp: { ...noUpdates, Place: 1 } });
    expect(plainText(renderDiff(found, { verbose: false }))).toBe(`+ Job: "myapp"
+ Task Group: "myapp" (1 create)
  + Task: "api" (forces create)
  + Task: "web" (forces create)

`);
  });

  test("names those of a job that goes", () => {
    const found = annotate(diff(jobIn(myapp), undefined), { myapp: { ...noUpdates, Stop: 1 } });
    expect(plainText(renderDiff(found, { verbose: false }))).toBe(`- Job: "myapp"
- Task Group: "myapp" (1 destroy)
  - Task: "api" (forces destroy)
  - Task: "web" (forces destroy)

`);
  });

  const rows: readonly {
    name: string;
    changes: readonly (readonly [string, string])[];
    updates?: Partial<typeof noUpdates>;
    want: string;
  }[] = [
    {
      name: "has a count with what it forces, and what the dry run does by kind",
      changes: [["count = 1", "count = 3"]],
      updates: { Place: 2, InPlaceUpdate: 1 },
      want: `+/- Job: "myapp"
+/- Task Group: "myapp" (2 create, 1 in-place update)
  +/- Count: "1" => "3" (forces create)
      Task: "api"
      Task: "web"

`,
    },
    {
      name: "shows nothing but names where nothing changes",
      changes: [],
      updates: { Ignore: 1 },
      want: `Job: "myapp"
Task Group: "myapp" (1 ignore)
  Task: "api"
  Task: "web"

`,
    },
    {
      name: "shows the fields around a change of an object, and aligns them with the markers",
      changes: [["cpu = 500", "cpu = 600"]],
      updates: { DestructiveUpdate: 1 },
      want: `+/- Job: "myapp"
+/- Task Group: "myapp" (1 create/destroy update)
  +/- Task: "api" (forces create/destroy update)
    +/- Resources {
      +/- CPU:         "500" => "600"
          Cores:       "0"
          DiskMB:      "0"
          IOPS:        "0"
          MemoryMB:    "256"
          MemoryMaxMB: "0"
          SecretsMB:   "0"
        }
      Task: "web"

`,
    },
    {
      name: "has fields and objects of the job and of a group, added and taken away",
      changes: [
        ['"asia-east1", "asia-northeast1"', '"asia-east1", "us-east1"'],
        ['type = "service"', 'type = "service"\n  priority = 70\n  meta { owner = "me" }'],
        ["count = 1", 'count = 1\n constraint {\n attribute = "${attr.cpu.arch}"\n value = "amd64"\n }'],
      ],
      want: `+/- Job: "myapp"
+   Meta[owner]: "me"
+/- Priority:    "50" => "70"
+/- Datacenters {
  + Datacenters: "us-east1"
    Datacenters: "asia-east1"
  - Datacenters: "asia-northeast1"
    }
+/- Task Group: "myapp"
  + Constraint {
    + LTarget: "\${attr.cpu.arch}"
    + Operand: "="
    + RTarget: "amd64"
    }
    Task: "api"
    Task: "web"

`,
    },
    {
      name: "pairs services by their likeness, and ports by label",
      changes: [
        ['tags = [ "api" ]', 'tags = [ "api", "v2" ]'],
        ['port "api" {}', 'port "api" { static = 8080 }'],
      ],
      want: `+/- Job: "myapp"
+/- Task Group: "myapp"
  +/- Task: "api" (forces create/destroy update)
    +/- Resources {
          CPU:         "500"
          Cores:       "0"
          DiskMB:      "0"
          IOPS:        "0"
          MemoryMB:    "256"
          MemoryMaxMB: "0"
          SecretsMB:   "0"
      +/- Network {
          Hostname: ""
          MBits:    "10"
          Mode:     ""
        + Static Port {
          + HostNetwork:     "default"
          + IgnoreCollision: "false"
          + Label:           "api"
          + To:              "0"
          + Value:           "8080"
          }
        - Dynamic Port {
          - HostNetwork:     "default"
          - IgnoreCollision: "false"
          - Label:           "api"
          - To:              "0"
          }
          }
        }
    +/- Service {
        Address:           ""
        AddressMode:       "auto"
        Cluster:           "default"
        EnableTagOverride: "false"
        Kind:              ""
        Name:              "myapp"
        OnUpdate:          "require_healthy"
        PortLabel:         "api"
        Provider:          "consul"
        TaskName:          "api"
      + Tags {
        + Tags: "v2"
          Tags: "api"
        }
        }
      Task: "web"

`,
    },
  ];
  for (const { name, changes, updates, want } of rows) {
    test(name, () => {
      const found = diff(jobIn(myapp), jobIn(replaced(myapp, changes)));
      const annotated = annotate(found, updates ? { myapp: { ...noUpdates, ...updates } } : {});
      expect(plainText(renderDiff(annotated, { verbose: false }))).toBe(want);
    });
  }

  test("tells a line's tones for the caller to colour", () => {
    const [first, second] = renderDiff(annotate(diff(undefined, jobIn(myapp)), { myapp: { ...noUpdates, Place: 1 } }), {
      verbose: false,
    });
    expect(first).toEqual([
      { text: "+", tone: "create" },
      { text: " ", tone: "plain" },
      { text: 'Job: "myapp"', tone: "heading" },
    ]);
    expect(second).toContainEqual({ text: "1 create", tone: "create" });
  });
});

describe("the diff of two jobs", () => {
  test("of one with itself has no changes, whatever is in it", () => {
    for (let seed = 0; seed < 40; seed++) {
      const found = diff(randomJob(seed), randomJob(seed));
      expect(found.Type, `seed ${seed}`).toBe("None");
      expect(JSON.stringify(found), `seed ${seed}`).not.toMatch(/"(Added|Deleted|Edited)"/);
    }
  });

  test("finds what differs between any two, and the other way round the opposite", () => {
    for (let seed = 0; seed < 40; seed++) {
      const [a, b] = [randomJob(seed), randomJob(seed + 1)];
      const [there, back] = [diff(a, b, "changes"), diff(b, a, "changes")];
      expect(there.Type, `seed ${seed}`).toBe("Edited");
      expect(countsOf(back), `seed ${seed}`).toEqual(countsOf(there, "turned"));
    }
  });

  test("has the plan endpoint's JSON, with null for what is empty", () => {
    const found = diff(jobIn(myapp), jobIn(replaced(myapp, [["count = 1", "count = 2"]])));
    expect(found).toEqual({
      Type: "Edited",
      ID: "myapp",
      Fields: null,
      Objects: null,
      TaskGroups: [
        {
          Type: "Edited",
          Name: "myapp",
          Fields: [{ Type: "Edited", Name: "Count", Old: "1", New: "2", Annotations: null }],
          Objects: null,
          Tasks: [
            { Type: "None", Name: "api", Fields: null, Objects: null, Annotations: null },
            { Type: "None", Name: "web", Fields: null, Objects: null, Annotations: null },
          ],
          Updates: null,
        },
      ],
    });
  });

  test("pairs artifacts by where they go", () => {
    const found = diff(jobIn(myapp), jobIn(replaced(myapp, [["myapp.tar.gz", "v2.tar.gz"]])), "changes");
    expect(found.TaskGroups![0]!.Tasks![0]!.Objects).toEqual([
      {
        Type: "Edited",
        Name: "Artifact",
        Fields: [
          {
            Type: "Edited",
            Name: "GetterSource",
            Old: "https://s3.amazonaws.com/myorg/myapp.tar.gz",
            New: "https://s3.amazonaws.com/myorg/v2.tar.gz",
            Annotations: null,
          },
        ],
        Objects: null,
      },
    ]);
  });

  test("tells every field of a driver's configuration by its path", () => {
    const change = [
      ['args = [ "-mode=api" ]', 'args = ["a", "b"]\nport_map { http = 80 }\nlabels = { x = "y" }'],
    ] as const;
    const found = diff(jobIn(myapp), jobIn(replaced(myapp, change)), "changes");
    const [config] = found.TaskGroups![0]!.Tasks![0]!.Objects!;
    expect(config!.Fields!.map(({ Type, Name, Old, New }) => [Type, Name, Old, New])).toEqual([
      ["Edited", "args[0]", "-mode=api", "a"],
      ["Added", "args[1]", "", "b"],
      ["Added", "labels[x]", "", "y"],
      ["Added", "port_map[0][http]", "", "80"],
    ]);
  });
});

/** How many fields of each kind differ; turned, what was added counts as deleted. */
function countsOf(found: JobDiff, way: "as it is" | "turned" = "as it is"): Readonly<Record<string, number>> {
  const counts: Record<string, number> = { Added: 0, Deleted: 0, Edited: 0 };
  const names = way === "turned" ? { Added: "Deleted", Deleted: "Added", Edited: "Edited" } : undefined;
  for (const [, type] of JSON.stringify(found).matchAll(/\{"Type":"(\w+)","Name":"[^"]*","Old"/g)) {
    const name = names?.[type as keyof typeof names] ?? type!;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
