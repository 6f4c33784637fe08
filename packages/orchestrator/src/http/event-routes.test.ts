import { toApi } from "@millwright/jobs/api";
import { afterEach, beforeEach, expect, test } from "vitest";
import { at, openApi, requestOf, type TestApi } from "../../test/api.ts";
import { jobOf } from "../../test/cluster.ts";
import { jobsService } from "../service.ts";
import { allowAll } from "./permissions.ts";

let api: TestApi;
let reader: AbortController;
beforeEach(async () => {
  api = await openApi();
  reader = new AbortController();
  await api.cluster.join("5f0c4f3e-0000-4000-8000-000000000001");
});
afterEach(async () => {
  reader.abort();
  await api.close();
});

async function open(query: string): Promise<AsyncIterator<string>> {
  const { context, membership } = api.cluster;
  const handle = jobsService({ ...context, routes: api.routes, authorizer: allowAll, membership });
  const reply = await handle(requestOf(`GET /v1/event/stream${query}`, undefined, { signal: reader.signal }));
  expect(reply.status).toBe(200);
  return (reply.body as AsyncIterable<string>)[Symbol.asyncIterator]();
}

async function nextOf(lines: AsyncIterator<string>): Promise<readonly unknown[]> {
  for (;;) {
    const { value } = await lines.next();
    expect(value.endsWith("\n")).toBe(true);
    const events = at(JSON.parse(value), "Events");
    // A line without events says that the server is there.
    if (events !== undefined) return events as readonly unknown[];
  }
}

const app = (id = "app") => toApi(jobOf({ ephemeralDisk: { size: 300 } }, { id, name: id }));

test("events are told as they happen, with what they are about", async () => {
  const lines = await open("?topic=Job");
  const first = nextOf(lines);
  const { index } = await api.ask("PUT /v1/jobs", { Job: app() });
  expect(await first).toMatchObject([
    {
      Topic: "Job",
      Type: "JobRegistered",
      Key: "app",
      Namespace: "default",
      Index: index,
      Payload: { Job: { ID: "app" } },
    },
  ]);
});

test("what belongs to a job is asked for by its name, and the job itself is left out of its allocations", async () => {
  const lines = await open("?topic=Allocation:app");
  const first = nextOf(lines);
  await api.ask("PUT /v1/jobs", { Job: app("other") });
  await api.ask("PUT /v1/jobs", { Job: app() });
  const [event] = await first;
  expect(event).toMatchObject({ Topic: "Allocation", FilterKeys: ["app", expect.any(String)] });
  expect(at(event, "Payload.Allocation.JobID")).toBe("app");
  expect(at(event, "Payload.Allocation.Job")).toBeUndefined();
});

test("what happened from an index on is told first, oldest first", async () => {
  const { index } = await api.ask("PUT /v1/jobs", { Job: app("one") });
  await api.ask("PUT /v1/jobs", { Job: app("two") });
  const lines = await open(`?topic=Job&index=${index}`);
  expect(at(await nextOf(lines), "0.Key")).toBe("one");
  expect(at(await nextOf(lines), "0.Key")).toBe("two");
});

test("who names no index is told the newest of what there is", async () => {
  await api.ask("PUT /v1/jobs", { Job: app("one") });
  expect(at(await nextOf(await open("?topic=Job")), "0.Key")).toBe("one");
});

test("of much that there is only the newest hundred are told", async () => {
  await api.close();
  api = await openApi({ leaders: 0 });
  for (let i = 0; i < 103; i++) await api.ask("PUT /v1/jobs", { Job: app(`job-${i}`) });
  expect(at(await nextOf(await open("?topic=Job")), "0.Key")).toBe("job-3");
});

test("a stream that has nothing to tell begins at once", async () => {
  expect((await (await open("?topic=Job")).next()).value).toBe("{}\n");
});

test("a stream ends when its reader goes", async () => {
  const lines = await open("");
  const next = (async () => {
    for (;;) if ((await lines.next()).done) return "ended";
  })();
  reader.abort();
  expect(await next).toBe("ended");
});

test("a topic that makes no sense is refused", async () => {
  expect(await api.ask("GET /v1/event/stream?topic=a:b:c")).toMatchObject({ status: 400 });
});
