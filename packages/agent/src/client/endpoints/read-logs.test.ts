import { appendFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readFrames } from "./follow-file.ts";
import { encodeFrames, type Frame } from "./frames.ts";
import { type LogReading, readLogs } from "./read-logs.ts";

let folder: string;
let ended = false;
let wakes: Set<() => void>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "logs-"));
  await mkdir(join(folder, "alloc/logs"), { recursive: true });
  ended = false;
  wakes = new Set();
});
afterEach(() => rm(folder, { recursive: true }));

const file = (number: number) => join(folder, `alloc/logs/web.stdout.${number}`);

function logs(reading: Partial<LogReading> = {}): AsyncGenerator<Frame> {
  return readLogs({
    visible: { folder, tasks: new Set(["web"]) },
    task: "web",
    type: "stdout",
    origin: "start",
    offset: 0,
    follow: false,
    hasEnded: () => ended,
    onChange: (wake) => {
      wakes.add(wake);
      return () => wakes.delete(wake);
    },
    signal: AbortSignal.timeout(10_000),
    ...reading,
  });
}

function end(): void {
  ended = true;
  for (const wake of wakes) wake();
}

async function textOf(frames: AsyncIterable<Frame>): Promise<string> {
  let text = "";
  for await (const { data } of frames) text += Buffer.from(data).toString();
  return text;
}

describe("a task's log over its files", () => {
  beforeEach(async () => {
    for (const [number, text] of ["one\n", "two\n", "", "three\n"].entries()) await writeFile(file(number + 8), text);
    await writeFile(join(folder, "alloc/logs/web.stderr.0"), "not this\n");
    await writeFile(join(folder, "alloc/logs/web.stdout.x"), "nor this\n");
  });
  const cases = [
    { name: "from its start", input: { origin: "start", offset: 0 }, want: "one\ntwo\nthree\n" },
    { name: "from a place in its first file", input: { origin: "start", offset: 2 }, want: "e\ntwo\nthree\n" },
    { name: "from the start of a later file", input: { origin: "start", offset: 4 }, want: "two\nthree\n" },
    { name: "from behind its end", input: { origin: "start", offset: 99 }, want: "" },
    { name: "from so far before its end", input: { origin: "end", offset: 8 }, want: "o\nthree\n" },
    { name: "from its end", input: { origin: "end", offset: 0 }, want: "" },
    {
      name: "from further before its end than it is long",
      input: { origin: "end", offset: 99 },
      want: "one\ntwo\nthree\n",
    },
  ] as const;
  for (const { name, input, want } of cases) test(name, async () => expect(await textOf(logs(input))).toBe(want));
});

test("who follows gets what is written later, over the change to the next file, and an end when the task has ended", async () => {
  await writeFile(file(0), "a");
  const frames = logs({ follow: true });
  const reading = textOf(frames);
  const pause = () => new Promise((resolve) => setTimeout(resolve, 30));
  await pause();
  await appendFile(file(0), "b");
  await pause();
  await appendFile(file(0), "c");
  await writeFile(file(1), "d");
  await pause();
  await rm(file(0));
  await appendFile(file(1), "e");
  await pause();
  // The log process may be behind the end of the task.
  end();
  await new Promise((resolve) => setTimeout(resolve, 100));
  await appendFile(file(1), "f");
  expect(await reading).toBe("abcdef");
  expect(wakes.size).toBe(0);
});

test("what is written is there at once, and who hears nothing hears that the connection lives", async () => {
  await writeFile(file(0), "");
  const frames = logs({ follow: true });
  const first = frames.next();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const began = performance.now();
  await appendFile(file(0), "now");
  expect((await first).value).toEqual({
    file: "alloc/logs/web.stdout.0",
    offset: 3,
    data: Buffer.from("now"),
    event: "",
  });
  expect(performance.now() - began).toBeLessThan(500);
  expect((await frames.next()).value).toMatchObject({ file: "", data: new Uint8Array() });
  await frames.return(undefined);
});

test("a reader that goes frees everything", async () => {
  await writeFile(file(0), "x");
  const leaving = new AbortController();
  const reading = textOf(logs({ follow: true, signal: leaving.signal }));
  await new Promise((resolve) => setTimeout(resolve, 30));
  leaving.abort();
  expect(await reading).toBe("x");
  expect(wakes.size).toBe(0);
});

test("a task's link in place of a log is not followed out of its allocation", async () => {
  await symlink("/etc/passwd", file(0));
  await expect(textOf(logs())).rejects.toThrow(/escapes/);
});

describe("a file as it grows", () => {
  const follow = (options: { origin?: "start" | "end"; offset?: number } = {}) =>
    readFrames({ folder, tasks: new Set(["web"]) }, "alloc/data.txt", {
      origin: "start",
      offset: 0,
      follow: true,
      signal: AbortSignal.timeout(10_000),
      ...options,
    });

  test("is told piece by piece, with what becomes of it", async () => {
    const path = join(folder, "alloc/data.txt");
    await writeFile(path, "one");
    const frames = follow({ offset: 1 });
    const next = async () => (await frames.next()).value as Frame;
    expect(await next()).toMatchObject({ file: "alloc/data.txt", offset: 3, data: Buffer.from("ne") });
    const more = next();
    await appendFile(path, "!");
    expect(await more).toMatchObject({ offset: 4, data: Buffer.from("!") });
    const cut = next();
    await writeFile(path, "");
    expect(await cut).toMatchObject({ event: "file truncated", offset: 0 });
    const gone = next();
    await rm(path);
    expect(await gone).toMatchObject({ event: "file deleted" });
    expect((await frames.next()).done).toBe(true);
  });

  test("is sent as JSON values without anything between", async () => {
    async function* some(): AsyncGenerator<Frame> {
      yield { file: "alloc/a", offset: 2, data: Buffer.from("hi"), event: "" };
      yield { file: "", offset: 0, data: Buffer.alloc(0), event: "" };
      yield { file: "alloc/a", offset: 2, data: Buffer.alloc(0), event: "file deleted" };
    }
    let text = "";
    for await (const piece of encodeFrames(some())) text += piece;
    expect(text).toBe(
      '{"Offset":2,"Data":"aGk=","File":"alloc/a"}{}{"Offset":2,"File":"alloc/a","FileEvent":"file deleted"}',
    );
  });
});
