import { expect, test } from "vitest";
import { atOnce, Cluster, jobOf, nodesOf } from "../test/cluster.ts";
import { whyStuck } from "./stuck.ts";
import { jobKey } from "./snapshot.ts";

const never = { attempts: 0, interval: 0, delay: 0, delayFunction: "constant", maxDelay: 0, unlimited: false };
const later = { ...never, delay: 60_000_000_000, unlimited: true };

function registered(
  group: Parameters<typeof jobOf>[0] = {},
  rest: Parameters<typeof jobOf>[1] = {},
  task: Parameters<typeof jobOf>[2] = {},
): Cluster {
  const cluster = new Cluster(nodesOf(2));
  cluster.register(jobOf({ count: 2, update: atOnce, reschedule: never, ...group }, rest, task));
  return cluster;
}

function failOne(cluster: Cluster): Cluster {
  cluster.fail(cluster.live()[0]!.id);
  cluster.evaluate();
  return cluster;
}

function completeOne(cluster: Cluster): Cluster {
  cluster.change(cluster.live()[0]!.id, { client: "complete", finished: cluster.now });
  return cluster;
}

function evaluated(cluster: Cluster): Cluster {
  cluster.evaluate();
  return cluster;
}

function converged(cluster: Cluster, isWell = true): Cluster {
  cluster.converge(() => isWell);
  return cluster;
}

function stopped(cluster: Cluster): Cluster {
  cluster.isStopped = true;
  return cluster;
}

const batch = { type: "batch" } as const;

const rollout = "its last deployment failed";
const failures = "it has failed, and is not placed anew by itself";

const cases: readonly { readonly name: string; readonly cluster: () => Cluster; readonly want: string | undefined }[] =
  [
    { name: "what runs well is not", cluster: () => converged(registered()), want: undefined },
    { name: "what is coming up is not", cluster: () => evaluated(registered()), want: undefined },
    { name: "what was never looked at is not", cluster: () => registered(), want: undefined },
    {
      name: "what waits for room is not",
      cluster: () => evaluated(registered({}, {}, { resources: { memory: 100_000 } })),
      want: undefined,
    },
    { name: "what did not come up is", cluster: () => converged(registered(), false), want: rollout },
    { name: "what failed for good is", cluster: () => failOne(converged(registered())), want: failures },
    {
      name: "what is placed anew later is not",
      cluster: () => failOne(converged(registered({ reschedule: later }))),
      want: undefined,
    },
    { name: "what was stopped is not", cluster: () => stopped(converged(registered(), false)), want: undefined },
    {
      name: "batch work that failed for good is",
      cluster: () => failOne(evaluated(registered({}, batch))),
      want: failures,
    },
    {
      name: "batch work of which some is done is not: it would be done twice",
      cluster: () => failOne(completeOne(evaluated(registered({}, batch)))),
      want: undefined,
    },
    {
      name: "work of every node that failed for good is",
      cluster: () => failOne(evaluated(registered({}, { type: "system" }))),
      want: failures,
    },
  ];

for (const { name, cluster, want } of cases)
  test(`stuck: ${name}`, () => {
    const there = cluster();
    const job = there.versions.get(there.current)!;
    expect(whyStuck(there.snapshot(), jobKey(job.namespace, job.id), there.now)).toBe(want);
  });

test("another version of the same gets what failed going, and leaves what is well as it runs", () => {
  const cluster = failOne(converged(registered()));
  const [well] = cluster.live();
  cluster.register(cluster.versions.get(cluster.current)!);
  cluster.converge();
  expect(cluster.healthy()).toBe(2);
  expect(cluster.live().map(({ id }) => id)).toContain(well!.id);
  expect(cluster.deployment()).toMatchObject({ version: 1, status: "successful" });
});
