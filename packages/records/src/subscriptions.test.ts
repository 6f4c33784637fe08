import { describe, expect, test } from "vitest";
import { type Subject, Subscriptions } from "./subscriptions.ts";

describe("a change wakes exactly who asked for it", () => {
  const subjects: Subject[] = [
    { kind: "key", text: "a" },
    { kind: "key", text: "a/b" },
    { kind: "prefix", text: "" },
    { kind: "prefix", text: "a" },
    { kind: "prefix", text: "a/" },
    { kind: "prefix", text: "b" },
    { kind: "topics", topics: ["node", "service/of/web"] },
    { kind: "topics", topics: ["a"] },
  ];
  const cases = [
    { changed: ["a"], want: ["key a", "prefix ", "prefix a"] },
    { changed: ["a/b"], want: ["key a/b", "prefix ", "prefix a", "prefix a/"] },
    { changed: ["c"], want: ["prefix "] },
    { changed: ["b", "bb"], want: ["prefix ", "prefix b"] },
    { changed: [], want: [] },
    { changed: [], topics: ["service", "service/of/web"], want: ["topics node,service/of/web"] },
    {
      changed: ["c"],
      topics: ["node", "service/of/web", "a"],
      want: ["prefix ", "topics a", "topics node,service/of/web"],
    },
  ];
  test.each(cases)("$changed $topics", async ({ changed, topics = [], want }) => {
    const subscriptions = new Subscriptions();
    const stop = new AbortController();
    const woken: string[] = [];
    const waits = subjects.map((subject) =>
      subscriptions
        .next(subject, stop.signal)
        .then(
          () =>
            void (
              stop.signal.aborted || woken.push(`${subject.kind} ${"text" in subject ? subject.text : subject.topics}`)
            ),
        ),
    );
    subscriptions.notify(changed, topics);
    await Promise.resolve().then(() => undefined);
    expect(woken.sort()).toEqual(want);
    expect(subscriptions.size).toBe(subjects.length - want.length);
    stop.abort();
    await Promise.all(waits);
    expect(subscriptions.size).toBe(0);
  });
});

test("an abort that has happened is not waited for", async () => {
  await new Subscriptions().next({ kind: "key", text: "a" }, AbortSignal.abort());
});

test("a thousand that wait for one change are woken in several turns, each once, and a change between them wakes all that are left", async () => {
  const subscriptions = new Subscriptions();
  const stop = new AbortController();
  let woken = 0;
  const waits = Array.from({ length: 1_000 }, async () => {
    await subscriptions.next({ kind: "key", text: "a" }, stop.signal);
    woken++;
  });
  subscriptions.notify(["a"]);
  const perTurn: number[] = [];
  for (let before = 0; woken < 1_000; before = woken) {
    await new Promise((resolve) => setImmediate(resolve));
    perTurn.push(woken - before);
    subscriptions.notify(["a"]);
  }
  await Promise.all(waits);
  expect(woken).toBe(1_000);
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(300);
  expect(subscriptions.size).toBe(0);
});
