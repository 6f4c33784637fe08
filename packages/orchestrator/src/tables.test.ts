import { randomJob } from "@millwright/jobs/random-job";
import { describe, expect, test } from "vitest";
import { sampleAlloc, sampleClient, sampleDeployment, sampleVersion } from "../test/sample-records.ts";
import { tables } from "./tables.ts";

test("a job comes back as it was written, whatever is in it", () => {
  for (let seed = 0; seed < 500; seed++) {
    const job = randomJob(seed);
    const record = { ...sampleVersion("app", 0), job };
    const { decode, encode } = tables.jobversion;
    expect(decode(encode(record)), `seed ${seed}`).toStrictEqual(record);
  }
});

describe("a record's lists are those that its readers wait for", () => {
  const alloc = sampleAlloc("a1", { job: "a/b" });
  const deployment = sampleDeployment("d1");
  const times = { createdAt: 1, modifiedAt: 1 };
  const cases = [
    { name: "an allocation", want: ["node/n1", "job/default/a%2Fb", "eval/e1"], got: tables.alloc.lists(alloc) },
    { name: "its node's half", want: ["node/n1", "job/default/a%2Fb"], got: tables.client.lists(sampleClient(alloc)) },
    {
      name: "a rollout that goes on",
      want: ["job/default/app", "open"],
      got: tables.deployment.lists({ deployment, ...times }),
    },
    {
      name: "a rollout that has ended",
      want: ["job/default/app"],
      got: tables.deployment.lists({ deployment: { ...deployment, status: "failed" }, ...times }),
    },
  ];
  test.each(cases)("$name", ({ got, want }) => expect(got).toEqual(want));
});

test("what a later version wrote is not misread", () => {
  const later = Buffer.from(JSON.stringify({ format: 2, count: 1 }));
  expect(() => tables.nodeversion.decode(later)).toThrow(/format 2; this version knows format 1/);
});
