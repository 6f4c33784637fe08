import { compareKeys } from "@millwright/store/keys";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SortedRecords } from "./sorted-records.ts";

interface Thing {
  readonly key: string;
  readonly modified: number;
}

function filled(...things: readonly [string, number][]): SortedRecords<Thing> {
  const records = new SortedRecords<Thing>();
  for (const [key, modified] of things) records.set({ key, modified });
  return records;
}

test("what is under a prefix comes in byte order", () => {
  const records = filled(["b", 1], ["a/2", 2], ["a/10", 3], ["a", 4], ["\u{1F600}", 5], ["\uFFFD", 6]);
  expect([...records.view("")].map((r) => r.key)).toEqual(["a", "a/10", "a/2", "b", "\uFFFD", "\u{1F600}"]);
  expect([...records.view("a/")].map((r) => r.key)).toEqual(["a/10", "a/2"]);
  expect([...records.view("c")]).toEqual([]);
});

test("the highest falls again when its record goes or is set back", () => {
  const records = filled(["a/1", 5], ["a/2", 9], ["b", 20]);
  expect(records.highestUnder("a/")).toBe(9);
  records.set({ key: "a/2", modified: 3 });
  expect(records.highestUnder("a/")).toBe(5);
  records.delete("a/1");
  expect(records.highestUnder("a/")).toBe(3);
  expect(records.highestUnder("x")).toBe(0);
});

test("neighbours are found across chunks, for keys that are there and keys that are not", () => {
  const records = new SortedRecords<Thing>();
  for (let i = 0; i < 1000; i++) records.set({ key: `k${String(i).padStart(4, "0")}`, modified: i });
  expect(records.neighbours("k0256")).toMatchObject({ before: { key: "k0255" }, behind: { key: "k0257" } });
  expect(records.neighbours("k0255")).toMatchObject({ before: { key: "k0254" }, behind: { key: "k0256" } });
  expect(records.neighbours("k0255x")).toMatchObject({ before: { key: "k0255" }, behind: { key: "k0256" } });
  expect(records.neighbours("a")).toMatchObject({ before: undefined, behind: { key: "k0000" } });
  expect(records.neighbours("z")).toMatchObject({ before: { key: "k0999" }, behind: undefined });
});

test("a view does not change with what it was taken of", () => {
  const records = new SortedRecords<Thing>();
  for (let i = 0; i < 2000; i++) records.set({ key: String(i).padStart(4, "0"), modified: i });
  const view = records.view("");
  const before = [...view];
  for (let i = 0; i < 2000; i += 3) records.delete(String(i).padStart(4, "0"));
  for (let i = 0; i < 2000; i += 7) records.set({ key: String(i).padStart(4, "0"), modified: -1 });
  expect([...view]).toEqual(before);
  expect(view.size).toBe(2000);
});

test("reading a view may skip ahead", () => {
  const records = new SortedRecords<Thing>();
  for (let i = 0; i < 1000; i++) records.set({ key: `k${String(i).padStart(3, "0")}`, modified: i });
  const skipped = records.view("k").skipping(({ key }) => (key < "k900" ? `${key.slice(0, 2)}~` : undefined));
  const keys = [...skipped].map(({ key }) => key);
  expect(keys.slice(0, 10)).toEqual(["k000", "k100", "k200", "k300", "k400", "k500", "k600", "k700", "k800", "k900"]);
  expect(keys).toHaveLength(109);
});

test("any sequence of changes gives what a plain map gives", () => {
  const key = fc.stringMatching(/^[ab]{1,3}(\/[a-c]{0,3})?$/);
  const change = fc.tuple(key, fc.option(fc.nat(50)));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 1500, size: "max" }), fc.array(key), (changes, prefixes) => {
      const records = new SortedRecords<Thing>();
      const plain = new Map<string, Thing>();
      for (const [name, modified] of changes) {
        if (modified === null) {
          records.delete(name);
          plain.delete(name);
        } else {
          const thing = { key: name, modified };
          records.set(thing);
          plain.set(name, thing);
        }
      }
      expect(records.size).toBe(plain.size);
      for (const prefix of ["", ...prefixes]) {
        const want = [...plain.values()]
          .filter((t) => t.key.startsWith(prefix))
          .sort((a, b) => compareKeys(a.key, b.key));
        expect([...records.view(prefix)]).toEqual(want);
        expect(records.view(prefix).size).toBe(want.length);
        expect(records.highestUnder(prefix)).toBe(Math.max(0, ...want.map((t) => t.modified)));
        expect(records.get(prefix)).toEqual(plain.get(prefix));
      }
    }),
    { numRuns: 100, seed: 20161121 },
  );
});
