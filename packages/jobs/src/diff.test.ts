import { readFileSync } from "node:fs";
import { sourceFile } from "@millwright/hcl/source-file";
import { describe, expect, test } from "vitest";
import { annotate } from "./annotate.ts";
import { canonical } from "./canonical.ts";
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

const none = {
  Ignore: 0,
  Place: 0,
  Migrate: 0,
  Stop: 0,
  InPlaceUpdate: 0,
  DestructiveUpdate: 0,
  Canary: 0,
};

describe("the diff of two jobs as it is shown", () => {
  test("of a new job names its groups and tasks, and what they force", () => {
    const found = annotate(diff(undefined, jobIn(myapp)), { myapp: { ...none, Place: 1 } });
    expect(plainText(renderDiff(found, { verbose: false }))).toBe(`+ Job: "myapp"
+ Task Group: "myapp" (1 create)
  + Task: "api" (forces create)
  + Task: "web" (forces create)

`);
  });

  const changes: readonly { name: string; from: string; to: string; want: string }[] = [
    {
      name: "a count",
      from: "count = 1",
      to: "count = 3",
      want: `+/- Job: "myapp"
+/- Task Group: "myapp"
  +/- Count: "1" => "3" (forces create)
      Task: "api"
      Task: "web"

`,
    },
  ];
  for (const { name, from, to, want } of changes) {
    test(`shows ${name}`, () => {
      const found = annotate(diff(jobIn(myapp), jobIn(myapp.replace(from, to))));
      expect(plainText(renderDiff(found, { verbose: false }))).toBe(want);
    });
  }
  test("x", () => {
    const found = annotate(
      diff(
        jobIn(myapp),
        jobIn(
          myapp
            .replace("-mode=api", "-mode=b")
            .replace("cpu = 500", "cpu = 600")
            .replace("myapp.tar.gz", "foo.tar.gz")
            .replace('port = "api"', 'port="b"')
            .replace('port "api" {}', 'port "b" { static = 80}'),
        ),
      ),
    );
    console.log(plainText(renderDiff(found, { verbose: false })));
  });
});
