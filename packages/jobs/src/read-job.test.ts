import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { formatRange } from "@millwright/core/source";
import { sourceFile } from "@millwright/hcl/source-file";
import { describe, expect, test } from "vitest";
import { toApi } from "./api.ts";
import { canonical } from "./canonical.ts";
import type { JobInputs } from "./inputs.ts";
import { jobFunctions } from "./job-functions.ts";
import { partKey } from "./job-part.ts";
import { readJob } from "./read-job.ts";
import { validate } from "./validate.ts";

const folder = new URL("../testdata/incrementalism/", import.meta.url);
const jobFiles = readdirSync(folder).filter((name) => name.endsWith(".job"));

describe("a job file of 2016", () => {
  test.each(jobFiles)("%s is read whole, and means what its golden file says", (name) => {
    const { value, diagnostics } = readJob(sourceFile(name, readFileSync(new URL(name, folder))));
    expect(diagnostics).toEqual([]);
    const job = canonical(value!.draft);
    expect(validate(job)).toEqual([]);
    const json = `${JSON.stringify(toApi(job), null, 2)}\n`;
    const golden = new URL(name.replace(/job$/, "json"), folder);
    if (process.env["UPDATE"]) writeFileSync(golden, json);
    expect(json).toBe(readFileSync(golden, "utf8"));
  });
});

/** A job around a task with this in it. */
function aroundTask(text: string): string {
  return `job "j" {\n  group "g" {\n    task "t" {\n      driver = "docker"\n      ${text}\n    }\n  }\n}\n`;
}

function draftOf(text: string, inputs?: JobInputs) {
  const { value, diagnostics } = readJob(sourceFile("j.nomad", text), inputs);
  expect(diagnostics).toEqual([]);
  return value!.draft;
}

const draftTask = (text: string, inputs?: JobInputs) => draftOf(aroundTask(text), inputs).groups![0]!.tasks![0]!;

describe("what a job file says", () => {
  const rows: readonly { name: string; text: string; want: object }[] = [
    {
      name: "references that only a node can answer stay text",
      text: `env {
        A = "\${TASKGROUP}-web"
        B = "\${attr.kernel.name}"
        C = "\${env["HOME"]}/x"
        D = "\${NOMAD_PORT_http}"
        E = attr.cpu.arch
        F = "\${meta["a.b"]}"
        G = "\${upper("x")}"
      }`,
      want: {
        env: {
          A: "${TASKGROUP}-web",
          B: "${attr.kernel.name}",
          C: '${env["HOME"]}/x',
          D: "${NOMAD_PORT_http}",
          E: "${attr.cpu.arch}",
          F: '${meta["a.b"]}',
          G: "X",
        },
      },
    },
    {
      name: "durations are texts with units, or nanoseconds",
      text: `kill_timeout = "1m30s"\nshutdown_delay = 5000000000`,
      want: { killTimeout: 90e9, shutdownDelay: 5e9 },
    },
    {
      name: "numbers and booleans may stand in quotes",
      text: `leader = "true"\nresources {\n cpu = "500"\n memory_max = 512\n}`,
      want: { leader: true, resources: { cpu: 500, memoryMax: 512 } },
    },
    {
      name: "a driver's configuration keeps its shape",
      text: `config {
        image = "a"
        load = ["a.tar"]
        port_map { http = 8080 }
        mount "v" { target = "/a" }
        mount "w" { readonly = true }
      }`,
      want: {
        config: {
          image: "a",
          load: ["a.tar"],
          port_map: [{ http: 8080 }],
          mount: [{ v: [{ target: "/a" }] }, { w: [{ readonly: true }] }],
        },
      },
    },
    {
      name: "a constraint's operator may be its own attribute",
      text: `constraint { distinct_hosts = true }
      constraint {
        attribute = "\${attr.kernel.version}"
        version = ">= 5"
      }
      constraint { distinct_property = "\${meta.rack}" }
      constraint {
        attribute = "\${attr.cpu.arch}"
        operator = "!="
        value = "arm"
      }`,
      want: {
        constraints: [
          { operand: "distinct_hosts", rTarget: "true" },
          { lTarget: "${attr.kernel.version}", operand: "version", rTarget: ">= 5" },
          { operand: "distinct_property", lTarget: "${meta.rack}" },
          { lTarget: "${attr.cpu.arch}", operand: "!=", rTarget: "arm" },
        ],
      },
    },
    {
      name: "a 2016 vault block, an identity, a template and an artifact",
      text: `vault {
        policies = ["a", "b"]
        change_mode = "signal"
        change_signal = "SIGUSR1"
      }
      identity {
        name = "vault_default"
        aud = ["x"]
        ttl = "1h"
      }
      template {
        data = "{{ key \\"a\\" }}"
        destination = "local/a"
        wait { min = "2s" }
      }
      artifact {
        source = "http://a/b.tgz"
        options { checksum = "md5:x" }
      }`,
      want: {
        vault: { policies: ["a", "b"], changeMode: "signal", changeSignal: "SIGUSR1" },
        identities: [{ name: "vault_default", audience: ["x"], ttl: 3600e9 }],
        templates: [{ data: '{{ key "a" }}', destination: "local/a", wait: { min: 2e9 } }],
        artifacts: [{ source: "http://a/b.tgz", options: { checksum: "md5:x" } }],
      },
    },
    {
      name: "headers of a check, maps as attributes, logs that are off",
      text: `meta = { "foo.bar" = 1 }
      logs { enabled = false }
      service {
        check {
          type = "http"
          header { Host = ["a", "b"] }
        }
      }`,
      want: {
        meta: { "foo.bar": "1" },
        logs: { disabled: true },
        services: [{ checks: [{ type: "http", header: { Host: ["a", "b"] } }] }],
      },
    },
    {
      name: "dynamic blocks stand for the blocks they make",
      text: `dynamic "artifact" {
        for_each = ["a", "b"]
        content { source = "http://\${artifact.value}/\${node.class}" }
      }`,
      want: { artifacts: [{ source: "http://a/${node.class}" }, { source: "http://b/${node.class}" }] },
    },
  ];
  const functions = jobFunctions({
    clock: { now: () => 0 },
    chance: { bytes: (length) => new Uint8Array(length), uuid: () => "u" },
  });
  test.each(rows)("$name", ({ text, want }) => {
    expect(draftTask(text, { functions })).toEqual({ name: "t", driver: "docker", ...want });
  });

  test("a task without a group becomes a group of its name, before the groups", () => {
    const draft = draftOf(`job "j" {
      group "g" {
        task "a" { driver = "x" }
      }
      task "b" { driver = "y" }
    }`);
    expect(draft.groups).toEqual([
      { name: "b", count: 1, tasks: [{ name: "b", driver: "y" }] },
      { name: "g", tasks: [{ name: "a", driver: "x" }] },
    ]);
  });

  test("a vault block of the job or a group is that of tasks without one", () => {
    const draft = draftOf(`job "j" {
      vault { role = "job" }
      group "g" {
        vault { role = "group" }
        task "a" { driver = "x" }
        task "b" {
          driver = "x"
          vault { role = "own" }
        }
      }
      group "h" {
        task "c" { driver = "x" }
      }
    }`);
    const roles = draft.groups!.flatMap(({ tasks }) => tasks!.map(({ vault }) => vault?.role));
    expect(roles).toEqual(["group", "own", "job"]);
  });

  test("places are known of the job, its groups and their tasks", () => {
    const { value } = readJob(sourceFile("j.nomad", aroundTask("")));
    const place = (...part: readonly [] | readonly [string] | readonly [string, string]) =>
      formatRange(value!.places.get(partKey(part))!);
    expect([place(), place("g"), place("g", "t")]).toEqual(["j.nomad:1,1-8", "j.nomad:2,3-12", "j.nomad:3,5-13"]);
  });
});

describe("variables and locals", () => {
  const file = `variable "image" {
    type = string
    default = "redis"
  }
  variable "count" {
    type = number
    validation {
      condition = var.count > 0
      error_message = "At least one."
    }
  }
  locals {
    full = "\${local.name}:\${attr.os.name}"
    name = "x/\${var.image}"
  }
  job "j" {
    group "g" {
      count = var.count + 1
      task "t" {
        driver = "docker"
        config { image = local.full }
      }
    }
  }`;
  const given = (entries: Record<string, string>) => ({ variables: new Map(Object.entries(entries)) });

  test("are put in where they are used, in whatever order they stand", () => {
    expect(draftOf(file, given({ count: "2" })).groups).toEqual([
      {
        name: "g",
        count: 3,
        tasks: [{ name: "t", driver: "docker", config: { image: "x/redis:${attr.os.name}" } }],
      },
    ]);
  });

  const faults: readonly { name: string; inputs: JobInputs; want: string }[] = [
    { name: "has no value", inputs: {}, want: "Unset variable" },
    { name: "has a value of another type", inputs: given({ count: '"x"' }), want: "Invalid value for variable" },
    { name: "breaks its own rule", inputs: given({ count: "0" }), want: "Invalid value for variable: At least one." },
    {
      name: "is not declared",
      inputs: given({ count: "1", imag: "x" }),
      want: 'Undefined variable: A value was given for "imag", and the job file declares no such variable. Did you mean "image"?',
    },
  ];
  test.each(faults)("a variable that $name is an error", ({ inputs, want }) => {
    const { diagnostics } = readJob(sourceFile("j.nomad", file), inputs);
    expect(`${diagnostics[0]!.summary}: ${diagnostics[0]!.detail}`).toMatch(want);
  });

  test("take what the environment says where nothing else does, and only what they declare", () => {
    const ambient = new Map(Object.entries({ count: "4", other: "of another file" }));
    const count = (inputs: JobInputs) => draftOf(file, inputs).groups?.[0]?.count;
    expect(count({ ambient })).toBe(5);
    expect(count({ ambient, ...given({ count: "1" }) })).toBe(2);
  });

  test("locals that go in a circle are told once", () => {
    const circle = `locals {\n a = local.b\n b = local.a\n}\njob "j" {}`;
    const { diagnostics } = readJob(sourceFile("j.nomad", circle));
    expect(diagnostics.map(({ summary }) => summary)).toContain("Cycle of locals");
  });

  test("a function that reads files is refused where there are none to read", () => {
    const functions = jobFunctions({
      clock: { now: () => 0 },
      chance: { bytes: (length) => new Uint8Array(length), uuid: () => "u" },
    });
    const { diagnostics } = readJob(sourceFile("j.nomad", aroundTask('user = file("x")')), { functions });
    expect(diagnostics[0]!.detail).toContain("filesystem function disabled");
  });
});

describe("a job file in HCL 1", () => {
  test("is read, with a warning, where it is no HCL 2", () => {
    const text = `job "old" { datacenters = ["dc1"] update { stagger = "10s" max_parallel = 2 }
      task "t" { driver = "docker" config = { image = "a" args = ["\${NOMAD_PORT_http}"] }
        meta { "foo.bar" = "x" }
        resources { network { port "http" { static = "8080" } port "x" {} } } } }`;
    const { value, diagnostics } = readJob(sourceFile("old.nomad", text));
    expect(diagnostics.map(({ severity, summary }) => [severity, summary])).toEqual([["warning", "File in HCL 1"]]);
    const [group] = canonical(value!.draft).groups;
    expect(group).toMatchObject({
      name: "t",
      update: { stagger: 10e9, maxParallel: 2, healthCheck: "checks" },
      tasks: [
        {
          meta: { "foo.bar": "x" },
          config: { image: "a", args: ["${NOMAD_PORT_http}"] },
          resources: {
            networks: [{ reservedPorts: [{ label: "http", value: 8080 }], dynamicPorts: [{ label: "x", value: 0 }] }],
          },
        },
      ],
    });
  });
});

describe("a job file in JSON", () => {
  test("of the API is read as that", () => {
    expect(draftOf('{"Job": {"ID": "a", "Priority": 70, "TaskGroups": null}}')).toEqual({ id: "a", priority: 70 });
  });

  test("of the language is read as that", () => {
    const text = '{"job": {"a": {"priority": 70, "group": {"g": {"task": {"t": {"driver": "x"}}}}}}}';
    expect(draftOf(text)).toMatchObject({
      id: "a",
      priority: 70,
      groups: [{ name: "g", tasks: [{ name: "t", driver: "x" }] }],
    });
  });
});

describe("what is wrong with a job file is told with its place", () => {
  const rows: readonly { name: string; text: string; want: readonly string[] }[] = [
    {
      name: "an attribute that is not known, with one that is like it",
      text: aroundTask('kil_timeout = "5s"'),
      want: [
        'j.nomad:5,7-18 Unsupported argument: An argument named "kil_timeout" is not expected here. Did you mean "kill_timeout"?',
      ],
    },
    {
      name: "a block that is not known",
      text: aroundTask('artefact { source = "x" }'),
      want: [
        'j.nomad:5,7-15 Unsupported block type: Blocks of type "artefact" are not expected here. Did you mean "artifact"?',
      ],
    },
    {
      name: "what is required and missing",
      text: aroundTask("artifact {}"),
      want: [
        'j.nomad:5,16-16 Missing required argument: The argument "source" is required, but no definition was found.',
      ],
    },
    {
      name: "a block that Nomad has and we do not",
      text: aroundTask("service {\n connect { native = true }\n }"),
      want: [
        "j.nomad:6,2-9 Unsupported block type: Nomad knows connect blocks here; Millwright does not carry them out, so it does not accept them. Remove the block.",
      ],
    },
    {
      name: "a token that nothing uses, as a warning",
      text: 'job "j" {\n  vault_token = "x"\n}\n',
      want: [
        "j.nomad:2,3-14 Unused vault_token: A job's tasks get their tokens by their own identity, so vault_token is not used. Remove it, and treat the token as known to others.",
      ],
    },
    {
      name: "a value of another type",
      text: aroundTask('resources {\n cpu = "many"\n }'),
      want: [
        'j.nomad:6,8-14 Incorrect attribute value type: Inappropriate value for attribute "cpu": a number is required.',
      ],
    },
    {
      name: "a number that must be whole",
      text: aroundTask("resources {\n cpu = 1.5\n }"),
      want: [
        'j.nomad:6,8-11 Incorrect attribute value type: Inappropriate value for attribute "cpu": a whole number is required.',
      ],
    },
    {
      name: "a duration without a unit",
      text: aroundTask('kill_timeout = "30"'),
      want: [
        'j.nomad:5,22-26 Invalid duration: "kill_timeout" is no duration: time: missing unit in duration "30". Write numbers with units, such as "30s", "5m" or "1h30m".',
      ],
    },
    {
      name: "names and blocks that stand twice",
      text: 'job "j" {\n  update {}\n  update {}\n  group "g" {}\n  group "g" {}\n}\n',
      want: [
        'j.nomad:3,3-9 Duplicate update block: There is a "update" block already at j.nomad:2,3-9. Write all of it in one block.',
        'j.nomad:5,3-12 Duplicate group name: A group named "g" was declared already at j.nomad:4,3-12. Each group needs a name of its own.',
      ],
    },
    {
      name: "a file with two jobs",
      text: 'job "a" {}\njob "b" {}\n',
      want: [
        'j.nomad:2,1-8 Duplicate job block: A job file holds one job, and "a" is declared at j.nomad:1,1-8. Move this one to a file of its own.',
      ],
    },
    {
      name: "a file without a job",
      text: 'variable "x" {}\n',
      want: [
        'j.nomad:1,1-1 Missing job block: A job file declares one job: job "name" { … }. j.nomad has no such block.',
      ],
    },
  ];
  test.each(rows)("$name", ({ text, want }) => {
    const { diagnostics } = readJob(sourceFile("j.nomad", text));
    const told = diagnostics.map(({ subject, summary, detail }) => `${formatRange(subject!)} ${summary}: ${detail}`);
    expect(told).toEqual(want);
  });
});
