import type { JobDraft } from "@millwright/jobs/job";
import { describe, expect, test } from "vitest";
import { jobOf } from "../../test/cluster.ts";
import { refusals } from "./refusals.ts";

type GroupDraft = NonNullable<JobDraft["groups"]>[number];
type TaskDraft = NonNullable<GroupDraft["tasks"]>[number];

interface Case {
  readonly name: string;
  readonly job?: JobDraft;
  readonly group?: GroupDraft;
  readonly task?: TaskDraft;
  readonly want: readonly string[];
}

const cases: readonly Case[] = [
  { name: "an ordinary job asks for nothing that is not there", want: [] },
  {
    name: "a periodic job",
    job: { type: "batch", periodic: { spec: "@daily" } },
    want: ['error: Job "app": periodic is not there'],
  },
  {
    name: "a parameterized job",
    job: { type: "batch", parameterized: {} },
    want: ['error: Job "app": parameterized is not there'],
  },
  {
    name: "a volume and where it is seen",
    group: { volumes: [{ name: "data", source: "data" }] },
    task: { volumeMounts: [{ volume: "data", destination: "/data" }] },
    want: ['error: Group "web": volume is not there', 'error: Task "web" of group "web": volume_mount is not there'],
  },
  {
    name: "a network of its own",
    group: { networks: [{ mode: "bridge" }] },
    want: ['error: Group "web": network mode is not there'],
  },
  { name: "the network of its node", group: { networks: [{ mode: "host" }] }, want: [] },
  {
    name: "a node that may be away",
    group: { disconnect: { lostAfter: 60_000_000_000 } },
    want: ['error: Group "web": disconnect is not there'],
  },
  {
    name: "health that a person says",
    group: { update: { healthCheck: "manual" } },
    want: ['error: Group "web": health_check "manual" is not there'],
  },
  {
    name: "a check that is not made",
    task: { services: [{ name: "web", checks: [{ type: "grpc", interval: 1_000_000_000 }] }] },
    want: ['error: Group "web": check type "grpc" is not there'],
  },
  {
    name: "an end after a time",
    group: { maxRunDuration: 60_000_000_000 },
    want: ['error: Group "web": max_run_duration is not there'],
  },
  {
    name: "a port of another address of its node",
    task: { resources: { networks: [{ dynamicPorts: [{ label: "http", hostNetwork: "public" }] }] } },
    want: ['error: Group "web": host_network is not there'],
  },
  {
    name: "another catalog of services",
    task: { services: [{ name: "web", provider: "nomad" }] },
    want: ['error: Group "web": service provider "nomad" is not there'],
  },
  {
    name: "a device",
    task: { resources: { devices: [{ name: "nvidia/gpu" }] } },
    want: ['error: Task "web" of group "web": device is not there'],
  },
  {
    name: "a disk that is taken along is only a wish",
    group: { ephemeralDisk: { sticky: true, size: 10 } },
    want: ['warning: Group "web": ephemeral_disk sticky and migrate is not there'],
  },
];

describe("what is refused", () => {
  for (const { name, job, group = {}, task, want } of cases)
    test(name, () => {
      const found = refusals(jobOf(group, job, task), { runsCommands: false });
      expect(found.map(({ severity, summary }) => `${severity}: ${summary}`)).toEqual(want);
      for (const { detail } of found) expect(detail.length).toBeGreaterThan(20);
    });
});
