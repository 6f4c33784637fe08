import { toApi } from "@millwright/jobs/api";
import { openMemoryStore } from "@millwright/store/memory";
import { expect, test } from "vitest";
import { at, openApi } from "../../test/api.ts";
import { jobOf } from "../../test/cluster.ts";

test("what one server has taken in every other shows at once, and wakes who waits there", async () => {
  const store = openMemoryStore();
  const [one, other] = [await openApi({ store, leaders: 0 }), await openApi({ store, leaders: 0 })];
  const job = toApi(jobOf({ ephemeralDisk: { size: 300 } }));
  for (let priority = 1; priority <= 20; priority++) {
    const { index } = await other.ask("GET /v1/jobs");
    const waiting = other.ask(`GET /v1/jobs?index=${index}&wait=10s`);
    await one.ask("PUT /v1/jobs", { Job: { ...job, Priority: priority } });
    expect(at(await other.json("GET /v1/job/app"), "Priority")).toBe(priority);
    expect(at(JSON.parse((await waiting).text), "0.Priority")).toBe(priority);
  }
  const indexes = await Promise.all([one, other].map(async (api) => (await api.ask("GET /v1/job/app")).index));
  expect(indexes[0]).toBe(indexes[1]);
  await Promise.all([one.close(), other.close()]);
  await store.close();
});

test("of two that enforce the same index one is refused", async () => {
  const store = openMemoryStore();
  const [one, other] = [await openApi({ store, leaders: 0 }), await openApi({ store, leaders: 0 })];
  const job = toApi(jobOf({ ephemeralDisk: { size: 300 } }));
  const { index } = await one.ask("PUT /v1/jobs", { Job: job });
  const enforced = (priority: number) => ({
    Job: { ...job, Priority: priority },
    EnforceIndex: true,
    JobModifyIndex: index,
  });
  const replies = await Promise.all([one.ask("PUT /v1/jobs", enforced(60)), other.ask("PUT /v1/jobs", enforced(70))]);
  expect(replies.map(({ status }) => status).sort()).toEqual([200, 500]);
  const refused = replies.find(({ status }) => status === 500)!;
  expect(refused.text).toContain(`Enforcing job modify index ${index}: job exists with conflicting job modify index`);
  await Promise.all([one.close(), other.close()]);
  await store.close();
});
