import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Talk } from "./support/talk.ts";

/* The talk's job files of many instances, as they are, by the talk's lines: forty containers and more. */

let talk: Talk;
beforeAll(async () => {
  talk = await Talk.start();
}, 120_000);
afterAll(() => talk?.close(), 120_000);

describe("blue and green by count", () => {
  test("19 and 1, then 0 and 20, and back: never fewer than 19 are healthy", async () => {
    talk.use("myapp-green.job");
    talk.use("myapp-blue.job");
    await runs("myapp-green.job");
    await runs("myapp-blue.job");
    await expect.poll(() => talk.healthy("myapp", "api"), { timeout: 60_000, interval: 500 }).toBe(20);
    const status = (await talk.typed("nomad status myapp-blue")).out;
    for (const name of ["ID", "Name", "Type", "Priority", "Datacenters", "Status", "Periodic"])
      expect(status).toMatch(new RegExp(`^${name} +=`, "m"));
    expect(status).toMatch(/Task Group +Queued +Starting +Running +Failed +Complete +Lost/);
    const least = watchLeast();
    talk.use("myapp-blue.job", (text) => text.replace("count = 1\n", "count = 20\n"));
    talk.use("myapp-green.job", (text) => text.replace("count = 19", "count = 0"));
    await runs("myapp-blue.job");
    await runs("myapp-green.job");
    await expect.poll(() => talk.healthy("myapp", "api"), { timeout: 60_000, interval: 500 }).toBe(20);
    // What still stops holds its part of the network: all of it is wanted again.
    await expect.poll(() => summary("myapp-green"), { timeout: 60_000, interval: 500 }).toMatch(/^myapp +0 +0 +0 /m);
    talk.use("myapp-blue.job");
    talk.use("myapp-green.job");
    await runs("myapp-green.job");
    await runs("myapp-blue.job");
    await expect.poll(() => talk.healthy("myapp", "api"), { timeout: 60_000, interval: 500 }).toBe(20);
    expect(await least.stop()).toBeGreaterThanOrEqual(19);
    for (const job of ["myapp-green", "myapp-blue"]) await talk.typed(`nomad stop -purge ${job}`);
  }, 300_000);
});

async function runs(file: string): Promise<void> {
  const { code, out, err } = await talk.typed(`nomad run ${file}`);
  expect(code, out + err).toBe(0);
}

async function summary(job: string): Promise<string> {
  return (await talk.typed(`nomad status ${job}`)).out;
}

/** The fewest healthy instances that were seen, looking all the time. */
function watchLeast() {
  const seen: number[] = [];
  const over = new AbortController();
  const looking = (async () => {
    while (!over.signal.aborted) {
      seen.push(await talk.healthy("myapp", "api"));
      await pause(100);
    }
  })();
  return {
    stop: async () => {
      over.abort();
      await looking;
      return Math.min(...seen);
    },
  };
}

test("redis.job and redis-service.job run as they are, and the service is found", async () => {
  talk.use("redis.job");
  talk.use("redis-service.job");
  await runs("redis.job");
  await runs("redis-service.job");
  const { out } = await talk.typed("nomad status redis");
  expect(out).toMatch(/^redis +0 +0 +1 +0/m);
  await talk.typed("nomad stop -purge redis");
}, 120_000);
