import { linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cut, numbersOf, RotatingFile } from "./rotating-file.ts";

const kib = 1024;
const bytesOf = (text: string) => new TextEncoder().encode(text);

describe("where a file ends", () => {
  const line = (length: number) => `${"x".repeat(length - 1)}\n`;
  const cases = [
    { name: "a piece that fits", piece: line(10), size: 0, max: 100 * kib, want: { length: 10, isLast: false } },
    {
      name: "the first newline of the last 32 KiB",
      piece: line(10),
      size: 90 * kib,
      max: 100 * kib,
      want: { length: 10, isLast: true },
    },
    {
      name: "the last newline that still fits",
      piece: line(100).repeat(1000),
      size: 0,
      max: 90_050,
      want: { length: 90_000, isLast: true },
    },
    {
      name: "no newline before the last 32 KiB counts",
      piece: line(10) + "x".repeat(100 * kib),
      size: 0,
      max: 100 * kib,
      want: { length: 100 * kib, isLast: true },
    },
    {
      name: "an unfinished line within the last 32 KiB stays",
      piece: "x".repeat(50),
      size: 90 * kib,
      max: 100 * kib,
      want: { length: 50, isLast: false },
    },
    {
      name: "a newline as the very last byte",
      piece: line(100),
      size: 0,
      max: 100,
      want: { length: 100, isLast: true },
    },
    {
      name: "a file over its size, of a limit that was lowered",
      piece: line(10),
      size: 200,
      max: 100,
      want: { length: 0, isLast: true },
    },
  ];
  for (const { name, piece, size, max, want } of cases) {
    test(name, () => expect(cut(bytesOf(piece), size, max)).toEqual(want));
  }
});

describe("a log in numbered files", () => {
  let folder: string;
  const open = (maxFiles: number, maxBytes: number) =>
    new RotatingFile({ folder, name: "web.stdout", maxFiles, maxBytes });
  const textOf = (number: number) => readFileSync(join(folder, `web.stdout.${number}`), "utf8");

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "millwright-log-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("a file is there before anything is written", () => {
    open(3, 100).close();
    expect(textOf(0)).toBe("");
  });

  test("nothing is lost at a change of files, lines stay whole, and no file is too long", () => {
    const file = open(1000, 4 * kib);
    const text = Array.from({ length: 5000 }, (_, i) => `line ${i} ${"x".repeat(i % 90)}\n`).join("");
    const bytes = bytesOf(text);
    for (let at = 0, step = 1; at < bytes.length; at += step, step = (step * 7) % 5003) {
      const piece = bytes.subarray(at, at + step);
      expect(file.write(piece)).toEqual({ bytes: piece.length });
    }
    file.close();
    const numbers = numbersOf(folder, "web.stdout");
    const texts = numbers.map(textOf);
    expect(texts.join("")).toBe(text);
    expect(texts.filter((text) => text.length > 4 * kib)).toEqual([]);
    expect(texts.slice(0, -1).filter((text) => !text.endsWith("\n"))).toEqual([]);
    expect(numbers.length).toBeGreaterThan(50);
  });

  test("the oldest are removed, and numbers go on rising after a restart", () => {
    const first = open(2, 10);
    first.write(bytesOf("0123456789abcdefghij"));
    first.write(bytesOf("last"));
    first.close();
    expect(readdirSync(folder).sort()).toEqual(["web.stdout.1", "web.stdout.2"]);
    const second = open(2, 10);
    second.write(bytesOf("one word and more"));
    second.close();
    expect(numbersOf(folder, "web.stdout")).toEqual([3, 4]);
  });

  test("other files of the folder are left alone", () => {
    const others = ["web.stdout.x", "web.stdout", "web.stderr.0", "web.stdout.01", "other.stdout.0"];
    for (const name of others) writeFileSync(join(folder, name), "");
    const file = open(1, 4);
    file.write(bytesOf("a\nb\nc\nd\ne\n"));
    file.close();
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(others));
  });

  test.each([
    { name: "a link", make: (target: string, path: string) => symlinkSync(target, path) },
    { name: "a second name", make: (target: string, path: string) => linkSync(target, path) },
  ])("$name that a task has put in the place of the next file is not written through", ({ make }) => {
    const target = `${folder}-other`;
    writeFileSync(target, "kept");
    try {
      const file = open(3, 10);
      make(target, join(folder, "web.stdout.1"));
      expect(file.write(bytesOf("0123456789abc"))).toEqual({ bytes: 10, fault: expect.any(String) });
      file.close();
      expect(readFileSync(target, "utf8")).toBe("kept");
    } finally {
      rmSync(target);
    }
  });

  test("a link that a task has put in the place of the folder is not followed", () => {
    const target = mkdtempSync(join(tmpdir(), "millwright-log-other-"));
    try {
      const file = open(3, 10);
      rmSync(folder, { recursive: true });
      symlinkSync(target, folder);
      expect(file.write(bytesOf("0123456789abc"))).toEqual({ bytes: 10, fault: expect.any(String) });
      file.close();
      expect(readdirSync(target)).toEqual([]);
    } finally {
      rmSync(target, { recursive: true });
    }
  });

  test("a write that fails says how far it came, and can go on", () => {
    const file = open(3, 10);
    expect(file.write(bytesOf("0123456789")).bytes).toBe(10);
    rmSync(folder, { recursive: true });
    expect(file.write(bytesOf("abc"))).toEqual({ bytes: 0, fault: expect.stringContaining("ENOENT") });
  });
});
