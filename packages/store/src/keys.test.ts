import { expect, test } from "vitest";
import { seeded } from "../test/suite/support.ts";
import { after, keyRange, prefixRange } from "./contract.ts";
import { compareKeys, inRange, isOneKey, overlap } from "./keys.ts";
import { SortedKeys } from "./sorted-keys.ts";

const points = [0, 1, 0x2f, 0x61, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xfffd, 0xffff, 0x10000, 0x1f600, 0x10ffff];

function randomKey(random: () => number): string {
  const length = Math.floor(random() * 4);
  return Array.from({ length }, () => String.fromCodePoint(points[Math.floor(random() * points.length)]!)).join("");
}

test("keys compare as their UTF-8 bytes do", () => {
  const random = seeded(1);
  const wrong: unknown[] = [];
  for (let i = 0; i < 20_000; i++) {
    const [a, b] = [randomKey(random), randomKey(random)];
    if (Math.sign(compareKeys(a, b)) !== Buffer.compare(Buffer.from(a), Buffer.from(b))) wrong.push([a, b]);
  }
  expect(wrong).toEqual([]);
});

test("a prefix range holds exactly the keys that start with it", () => {
  const random = seeded(2);
  const wrong: unknown[] = [];
  for (let i = 0; i < 20_000; i++) {
    const [prefix, key] = [randomKey(random), randomKey(random)];
    if (inRange(key, prefixRange(prefix)) !== key.startsWith(prefix)) wrong.push([prefix, key]);
  }
  expect(wrong).toEqual([]);
});

test("the range of a key holds that key alone, and nothing lies between it and the key after", () => {
  for (const key of ["", "a", "\u{10ffff}"]) {
    expect(isOneKey(keyRange(key))).toBe(true);
    expect([key, after(key), `${key}\u0001`].map((k) => inRange(k, keyRange(key)))).toEqual([true, false, false]);
  }
  const others = [{ from: "a", to: "b" }, { from: "a" }, { from: "a", to: "b\0" }, prefixRange("a")];
  expect(others.map(isOneKey)).toEqual([false, false, false, false]);
});

test("ranges overlap where a key could lie in both", () => {
  const table = [
    { a: { from: "a", to: "c" }, b: { from: "b" }, want: true },
    { a: { from: "a", to: "b" }, b: { from: "b", to: "c" }, want: false },
    { a: { from: "a" }, b: { from: "b" }, want: true },
    { a: keyRange("b"), b: { from: "a", to: "b" }, want: false },
    { a: { from: "c", to: "a" }, b: { from: "a", to: "z" }, want: false },
  ];
  for (const { a, b, want } of table) expect([overlap(a, b), overlap(b, a)]).toEqual([want, want]);
});

test("a sorted set of keys equals a sorted array, however it was filled and emptied", () => {
  const random = seeded(3);
  const set = new SortedKeys();
  const model = new Set<string>();
  for (let i = 0; i < 20_000; i++) {
    const key =
      random() < 0.3 ? `n${String(i).padStart(6, "0")}` : `${randomKey(random)}${Math.floor(random() * 5_000)}`;
    if (random() < 0.7 || i < 5_000) {
      set.add(key);
      model.add(key);
    } else {
      const [first = key] = model;
      for (const gone of [key, first]) {
        set.delete(gone);
        model.delete(gone);
      }
    }
  }
  const sorted = [...model].sort(compareKeys);
  expect([...set.from("")]).toEqual(sorted);
  for (const from of ["n", "n003", sorted[700]!, after(sorted[700]!), "\u{10ffff}\u{10ffff}"])
    expect([...set.from(from)]).toEqual(sorted.filter((key) => compareKeys(key, from) >= 0));
});
