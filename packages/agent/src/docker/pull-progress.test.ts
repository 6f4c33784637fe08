import { expect, test } from "vitest";
import { PullProgress } from "./pull-progress.ts";

test("a long pull says how much of all layers is there, less and less often", () => {
  const said: string[] = [];
  let now = 0;
  const clock = { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() };
  const progress = new PullProgress("redis:7", (text) => said.push(text), clock);
  const line = (id: string, current: number) =>
    JSON.stringify({ id, status: "Downloading", progressDetail: { current, total: 20_000_000 } });
  progress.take(JSON.stringify({ status: "Pulling from library/redis", id: "7" }));
  for (now = 1_000; now <= 30_000; now += 1_000) {
    progress.take(line("a", now * 500));
    progress.take(line("b", now * 100));
  }
  progress.take(JSON.stringify({ id: "a", status: "Download complete" }));
  expect(said).toEqual([
    "Pulling the image redis:7: 1.7 MB of 40.0 MB",
    "Pulling the image redis:7: 3.5 MB of 40.0 MB",
    "Pulling the image redis:7: 7.1 MB of 40.0 MB",
    "Pulling the image redis:7: 14.3 MB of 40.0 MB",
  ]);
});
