import { readFileSync } from "node:fs";
import { sourceFile } from "@millwright/hcl/source-file";
import { describe, expect, test } from "vitest";
import { canonical } from "./canonical.ts";
import type { Job } from "./job.ts";
import { readJob } from "./read-job.ts";
import { updateKind } from "./update-kind.ts";

const file = readFileSync(new URL("../testdata/incrementalism/myapp-vault.job", import.meta.url), "utf8");

function jobIn(text: string): Job {
  const { value, diagnostics } = readJob(sourceFile("test.job", text));
  expect(diagnostics).toEqual([]);
  return canonical(value!.draft);
}

/** The text with the first place of `from` replaced; one that is not there is a fault of the test. */
function replaced(text: string, from: string, to: string): string {
  expect(text).toContain(from);
  return text.replace(from, to);
}

describe("a new version of a job means for what runs", () => {
  const inPlace: readonly (readonly [name: string, from: string, to: string])[] = [
    ["another count", "count = 1", "count = 5"],
    ["another priority", 'type = "service"', 'type = "service"\n  priority = 60'],
    ["other datacenters", '["asia-east1", "asia-northeast1"]', '["asia-east1"]'],
    ["other tags of a service", 'tags = [ "api" ]', 'tags = [ "api", "v2" ]'],
    ["another check", 'path = "/health.txt"', 'path = "/health"'],
    ["a constraint", "vault {", 'constraint {\n attribute = "${a}"\n value = "b"\n}\nvault {'],
    ["a time to end in", "vault {", 'kill_timeout = "20s"\nvault {'],
    ["another signal to end with", "vault {", 'kill_signal = "SIGTERM"\nvault {'],
    ["larger logs", "vault {", "logs { max_files = 5 }\nvault {"],
    ["another update strategy", "count = 1", "count = 1\n update { max_parallel = 3 }"],
    ["another restart policy", "count = 1", "count = 1\n restart { attempts = 9 }"],
  ];
  test.each(inPlace)("%s: it goes on as it is", (_name, from, to) => {
    expect(updateKind(jobIn(file), jobIn(replaced(file, from, to)), "myapp")).toEqual({ kind: "inPlace" });
  });

  const destructive: readonly (readonly [name: string, from: string, to: string, because: string])[] = [
    ["other arguments", '"-mode=api"', '"-mode=b"', "task api: Config"],
    ["another artifact", "myapp.tar.gz", "myapp-v2.tar.gz", "task api: Artifact"],
    ["other policies", '["myapp", "api"]', '["myapp"]', "task api: Vault"],
    ["more memory", "memory = 256", "memory = 512", "task api: Resources"],
    ["a port's label", 'port "api" {}', 'port "api2" {}', "task api: Resources"],
    ["an environment", "vault {", 'env { A = "b" }\nvault {', "task api: Env[A]"],
    ["a template", "vault {", 'template {\n data = "x"\n destination = "a"\n}\nvault {', "task api: Template"],
    ["a user", "vault {", 'user = "nobody"\nvault {', "task api: User"],
    ["another driver", 'driver = "docker"', 'driver = "raw_exec"', "task api: Driver"],
    ["no logs", "vault {", "logs { disabled = true }\nvault {", "task api: LogConfig.Disabled"],
    ["another task", 'task "web"', 'task "site"', "task site: Added"],
    ["a larger disk", "count = 1", "count = 1\n ephemeral_disk { size = 500 }", "group myapp: EphemeralDisk"],
    ["what all tasks of the job are told", 'type = "service"', 'type = "service"\n meta { a = "b" }', "task api: Meta"],
  ];
  test.each(destructive)("%s: it is replaced", (_name, from, to, because) => {
    const kind = updateKind(jobIn(file), jobIn(replaced(file, from, to)), "myapp");
    expect(kind).toEqual({ kind: "destructive", because });
  });

  test("nothing, where the file is written otherwise and says the same", () => {
    const same = replaced(file, "count = 1", "# one\n    count = 1");
    expect(updateKind(jobIn(file), jobIn(same), "myapp")).toEqual({ kind: "none" });
  });

  test("that it is replaced, where its group is gone", () => {
    const other = jobIn(replaced(file, 'group "myapp"', 'group "other"'));
    expect(updateKind(jobIn(file), other, "myapp")).toEqual({ kind: "destructive", because: "group myapp" });
  });
});
