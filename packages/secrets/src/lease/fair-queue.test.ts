import { expect, test } from "vitest";
import { quiet } from "../../test/fake-clock.ts";
import { FairQueue } from "./fair-queue.ts";

function controlled(perGroup: number, total: number) {
  const started: string[] = [];
  const endings = new Map<string, () => void>();
  const queue = new FairQueue<string>({
    perGroup,
    total,
    work: (item) =>
      new Promise((resolve) => {
        started.push(item);
        endings.set(item, () => resolve(`did ${item}`));
      }),
  });
  const end = async (item: string) => {
    endings.get(item)!();
    await quiet();
  };
  return { queue, started, end };
}

test("works on so many of a group at a time, in the order they came", async () => {
  const { queue, started, end } = controlled(2, 10);
  const first = queue.add("a", "a1", "last");
  for (const item of ["a2", "a3", "a4"]) void queue.add("a", item, "last");
  expect(started).toEqual(["a1", "a2"]);
  await end("a1");
  expect(await first).toBe("did a1");
  expect(started).toEqual(["a1", "a2", "a3"]);
});

test("lets groups take turns where there is not room for all", async () => {
  const { queue, started, end } = controlled(1, 1);
  for (const item of ["a1", "a2", "a3"]) void queue.add("a", item, "last");
  void queue.add("b", "b1", "last");
  for (const item of ["a1", "b1", "a2"]) await end(item);
  expect(started).toEqual(["a1", "b1", "a2", "a3"]);
});

test("a group that hangs holds up no other", async () => {
  const { queue, started, end } = controlled(2, 10);
  for (let i = 0; i < 5; i++) void queue.add("hanging", `h${i}`, "last");
  for (let i = 0; i < 5; i++) void queue.add("good", `g${i}`, "last");
  for (let i = 0; i < 5; i++) await end(`g${i}`);
  expect(started.filter((item) => item.startsWith("g"))).toEqual(["g0", "g1", "g2", "g3", "g4"]);
  expect(started.filter((item) => item.startsWith("h"))).toEqual(["h0", "h1"]);
});

test("takes what is urgent first, and each item once", async () => {
  const { queue, started, end } = controlled(1, 1);
  const items = ["a1", "a2", "a3"];
  for (const item of items) void queue.add("a", item, "last");
  const urgent = queue.add("a", "a3", "urgent");
  void queue.add("a", "a2", "last");
  expect(queue.size).toBe(3);
  for (const item of ["a1", "a3", "a2"]) await end(item);
  expect(await urgent).toBe("did a3");
  expect(started).toEqual(["a1", "a3", "a2"]);
  await queue.idle();
  expect(queue.size).toBe(0);
});
