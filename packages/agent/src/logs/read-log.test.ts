import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTaskLog, type TaskLogOptions, taskLogFiles } from "./read-log.ts";

let folder: string;
const put = (number: number, text: string) => writeFileSync(join(folder, `web.stdout.${number}`), text);
const optionsOf = (more: Partial<TaskLogOptions>): TaskLogOptions => ({
  folder,
  task: "web",
  type: "stdout",
  origin: "start",
  offset: 0,
  follow: false,
  signal: new AbortController().signal,
  ...more,
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "millwright-log-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function read(more: Partial<TaskLogOptions>): Promise<string> {
  let text = "";
  for await (const { data } of openTaskLog(optionsOf(more))) text += Buffer.from(data).toString();
  return text;
}

const cases: { name: string; input: Partial<TaskLogOptions>; want: string }[] = [
  { name: "all of it", input: {}, want: "one\ntwo\nthree\n" },
  { name: "from an offset within the first file", input: { offset: 2 }, want: "e\ntwo\nthree\n" },
  { name: "from an offset at a file's end", input: { offset: 4 }, want: "two\nthree\n" },
  { name: "from an offset in a later file", input: { offset: 9 }, want: "hree\n" },
  { name: "from an offset behind the end", input: { offset: 99 }, want: "" },
  { name: "the last bytes", input: { origin: "end", offset: 3 }, want: "ee\n" },
  { name: "the last bytes of several files", input: { origin: "end", offset: 8 }, want: "o\nthree\n" },
  { name: "the end", input: { origin: "end" }, want: "" },
  { name: "more of the end than there is", input: { origin: "end", offset: 1000 }, want: "one\ntwo\nthree\n" },
  { name: "another type", input: { type: "stderr" }, want: "" },
];
for (const { name, input, want } of cases) {
  test(`reads ${name}`, async () => {
    put(8, "one\n");
    put(9, "two\n");
    put(10, "three\n");
    expect(await read(input)).toBe(want);
  });
}

test("tells the files, and where in them a piece ends", async () => {
  put(3, "abc");
  put(4, "x".repeat(100_000));
  const pieces = [];
  for await (const { file, offset, data } of openTaskLog(optionsOf({ offset: 1 })))
    pieces.push([file, offset, data.length]);
  expect(pieces).toEqual([
    ["web.stdout.3", 3, 2],
    ["web.stdout.4", 65_536, 65_536],
    ["web.stdout.4", 100_000, 34_464],
  ]);
  expect(await taskLogFiles(optionsOf({}))).toEqual([
    { file: "web.stdout.3", bytes: 3 },
    { file: "web.stdout.4", bytes: 100_000 },
  ]);
});

test("follows over a change of files, and ends when it is told to", async () => {
  put(0, "a");
  const abort = new AbortController();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const { file, data } of openTaskLog(optionsOf({ follow: true, signal: abort.signal }))) {
      seen.push(`${file}: ${Buffer.from(data)}`);
    }
  })();
  await expect.poll(() => seen).toEqual(["web.stdout.0: a"]);
  appendFileSync(join(folder, "web.stdout.0"), "b");
  await expect.poll(() => seen.length).toBe(2);
  put(1, "c");
  await expect.poll(() => seen).toEqual(["web.stdout.0: a", "web.stdout.0: b", "web.stdout.1: c"]);
  abort.abort();
  await reading;
});

test("a log that is emptied, and one that is removed, are told", async () => {
  put(0, "abc");
  const events: string[] = [];
  const reading = (async () => {
    for await (const { fileEvent, data } of openTaskLog(optionsOf({ follow: true }))) {
      events.push(fileEvent ?? Buffer.from(data).toString());
    }
  })();
  await expect.poll(() => events).toEqual(["abc"]);
  truncateSync(join(folder, "web.stdout.0"));
  await expect.poll(() => events).toEqual(["abc", "file truncated"]);
  rmSync(join(folder, "web.stdout.0"));
  await reading;
  expect(events).toEqual(["abc", "file truncated", "file deleted"]);
});
