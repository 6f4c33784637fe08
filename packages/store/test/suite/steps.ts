import type { ErrorKind } from "@millwright/core/errors";
import { expect, test } from "vitest";
import type { Comparison, CompareOp, KeyRange, Operation, Transaction } from "../../src/contract.ts";
import { keyRange, limits, prefixRange, storeErrors } from "../../src/contract.ts";
import type { EngineUnderTest } from "./support.ts";
import { bytes, expectKind, get, holds, keysOf, over, put, putEach, text } from "./support.ts";

export function stepContract(engine: EngineUnderTest): void {
  comparisons(engine);
  operations(engine);
  refusals(engine);

  over(engine, "of N concurrent compare-and-sets of one key, exactly one wins each round", async ({ store, peer }) => {
    let modified = 0;
    for (let round = 0; round < 5; round++) {
      const when: Comparison[] = [{ range: keyRange("k"), is: "modified", op: "=", revision: modified }];
      const tries = Array.from({ length: 20 }, (_, i) =>
        (i % 2 ? store : peer).txn({ when, then: [put("k", `${round}/${i}`)] }),
      );
      const won = (await Promise.all(tries)).filter((result) => result.succeeded);
      expect(won).toHaveLength(1);
      modified = won[0]!.revision;
    }
    expect((await get(store, "k"))?.version).toBe(5);
  });

  over(engine, "concurrent counters lose no increment", async ({ store, peer }) => {
    const increment = async (through: typeof store) => {
      for (;;) {
        const entry = await get(through, "counter");
        const next = String(Number(entry ? text(entry.value) : "0") + 1);
        const unchanged: Comparison = {
          range: keyRange("counter"),
          is: "modified",
          op: "=",
          revision: entry?.modified ?? 0,
        };
        if ((await through.txn({ when: [unchanged], then: [put("counter", next)] })).succeeded) return;
      }
    };
    const callers = Array.from({ length: 8 }, async (_, i) => {
      for (let n = 0; n < 10; n++) await increment(i % 2 ? store : peer);
    });
    await Promise.all(callers);
    expect(text((await get(store, "counter"))!.value)).toBe("80");
  });

  over(engine, "a fence on the creation of a leadership key stops the writes of an old leader", async ({ store }) => {
    const first = await putEach(store, "leader");
    const fence: Comparison = { range: keyRange("leader"), is: "created", op: "=", revision: first };
    await store.txn({ then: [put("leader", "renewed")] });
    expect((await store.txn({ when: [fence], then: [put("work", "1")] })).succeeded).toBe(true);
    await store.txn({ then: [{ op: "delete", key: "leader" }] });
    expect((await store.txn({ when: [fence], then: [put("work", "2")] })).succeeded).toBe(false);
    await putEach(store, "leader");
    expect((await store.txn({ when: [fence], then: [put("work", "3")] })).succeeded).toBe(false);
    expect(text((await get(store, "work"))!.value)).toBe("1");
  });
}

function comparisons(engine: EngineUnderTest): void {
  // a/1 and a/2 hold "x", a/1 written once more; b/1 holds "y"; nothing under c/.
  const a1 = keyRange("a/1");
  const gone = keyRange("a/gone");
  const a = prefixRange("a/");
  const all = prefixRange("");
  const nothing = prefixRange("c/");
  const table: { name: string; when: Comparison; want: boolean }[] = [
    { name: "absent of a key that is there", when: { range: a1, is: "absent" }, want: false },
    { name: "absent of a key that is not there", when: { range: gone, is: "absent" }, want: true },
    { name: "absent of a range with keys", when: { range: a, is: "absent" }, want: false },
    { name: "absent of an empty range", when: { range: nothing, is: "absent" }, want: true },
    { name: "present of a key that is there", when: { range: a1, is: "present" }, want: true },
    { name: "present of a key that is not there", when: { range: gone, is: "present" }, want: false },
    { name: "present of a range with keys", when: { range: a, is: "present" }, want: true },
    { name: "present of an empty range", when: { range: nothing, is: "present" }, want: false },
    { name: "value of a key", when: { range: a1, is: "value", equals: bytes("x") }, want: true },
    { name: "another value of a key", when: { range: a1, is: "value", equals: bytes("xx") }, want: false },
    { name: "value of a key that is not there", when: { range: gone, is: "value", equals: bytes("") }, want: false },
    { name: "value of every key of a range", when: { range: a, is: "value", equals: bytes("x") }, want: true },
    { name: "value of only some keys", when: { range: all, is: "value", equals: bytes("x") }, want: false },
    { name: "value of an empty range", when: { range: nothing, is: "value", equals: bytes("x") }, want: true },
    {
      name: "a range whose end is before its start",
      when: { range: { from: "b", to: "a" }, is: "absent" },
      want: true,
    },
  ];
  for (const { name, when, want } of table) {
    over(engine, `comparison: ${name} is ${want}`, async ({ store, peer }) => {
      await store.txn({ then: [put("a/1", "w"), put("a/2", "x"), put("b/1", "y")] });
      await store.txn({ then: [put("a/1", "x")] });
      expect(await holds(peer, when)).toBe(want);
    });
  }

  const operators: readonly CompareOp[] = ["=", "!=", "<", ">"];
  const apply = {
    "=": equal,
    "!=": (x: number, y: number) => x !== y,
    "<": less,
    ">": (x: number, y: number) => x > y,
  };
  over(
    engine,
    "comparison: created and modified of a key, of every key of a range, and where there is none",
    async (bench) => {
      const { store } = bench;
      const first = await putEach(store, "a/1");
      const second = await putEach(store, "a/2");
      const third = await putEach(store, "a/1");
      const places: { range: KeyRange; created: number[]; modified: number[] }[] = [
        { range: a1, created: [first], modified: [third] },
        { range: a, created: [first, second], modified: [third, second] },
        { range: gone, created: [0], modified: [0] },
        { range: nothing, created: [], modified: [] },
      ];
      for (const place of places) {
        for (const is of ["created", "modified"] as const) {
          for (const op of operators) {
            for (const revision of [0, first - 1, first, second, third, third + 1]) {
              const want = place[is].every((number) => apply[op](number, revision));
              const got = await holds(bench.peer, { range: place.range, is, op, revision });
              expect(`${place.range.from} ${is} ${op} ${revision}: ${got}`).toBe(
                `${place.range.from} ${is} ${op} ${revision}: ${want}`,
              );
            }
          }
        }
      }
    },
  );

  over(engine, "all comparisons must hold, and a failed step carries out the other branch", async ({ store }) => {
    await putEach(store, "a");
    const when: Comparison[] = [
      { range: keyRange("a"), is: "present" },
      { range: prefixRange("none"), is: "value", equals: bytes("x") },
      { range: keyRange("b"), is: "present" },
    ];
    const result = await store.txn({ when, then: [put("then")], otherwise: [put("otherwise")] });
    expect(result).toMatchObject({ succeeded: false, results: [{ op: "put" }] });
    expect(await keysOf(store)).toEqual(["a", "otherwise"]);
    expect(result.revision).toBe(await store.revision());
  });

  over(engine, "a range that is compared may become empty and full while steps run", async ({ store, peer }) => {
    const when: Comparison[] = [{ range: prefixRange("flag/"), is: "value", equals: bytes("on") }];
    let stop = false;
    const flip = async () => {
      while (!stop) {
        await store.txn({ then: [put("flag/a", "on")] });
        await store.txn({ then: [{ op: "delete", key: "flag/a" }] });
      }
    };
    const flipping = flip();
    for (let i = 0; i < 40; i++) {
      const result = await peer.txn({ when, then: [put("held")], otherwise: [put("failed")] });
      expect(result.succeeded).toBe(true);
    }
    stop = true;
    await flipping;
    expect(await keysOf(store, "f", "fb")).toEqual([]);
  });
}

function operations(engine: EngineUnderTest): void {
  over(
    engine,
    "operations run in order, and a get sees the writes before it but not those behind",
    async ({ store }) => {
      await putEach(store, "a", "b");
      const look: Operation = { op: "get", range: prefixRange("") };
      const result = await store.txn({ then: [look, put("c", "new"), { op: "delete", key: "a" }, look] });
      const [before, , deleted, behind] = result.results;
      expect(before?.op === "get" && before.entries.map((e) => e.key)).toEqual(["a", "b"]);
      expect(deleted).toEqual({ op: "delete", deleted: 1 });
      expect(behind?.op === "get" && behind.entries.map((e) => [e.key, e.modified === result.revision])).toEqual([
        ["b", false],
        ["c", true],
      ]);
    },
  );

  over(engine, "a get of a step is limited and says that there is more", async ({ store }) => {
    await putEach(store, "a", "b", "c");
    const get = (limit: number): Operation => ({ op: "get", range: prefixRange(""), limit });
    const { results } = await store.txn({ then: [get(2), get(3)] });
    expect(results.map((r) => r.op === "get" && [r.entries.length, r.more])).toEqual([
      [2, true],
      [3, false],
    ]);
  });

  over(engine, "entries tell their creation, last write and number of writes", async ({ store, peer }) => {
    const created = await putEach(store, "k");
    const modified = await putEach(store, "k", "k");
    expect(await get(peer, "k")).toEqual({ key: "k", value: bytes("value of k"), created, modified, version: 3 });
    await store.txn({ then: [{ op: "delete", key: "k" }] });
    expect(await get(peer, "k")).toBeUndefined();
    const again = await putEach(store, "k");
    expect(await get(peer, "k")).toMatchObject({ created: again, modified: again, version: 1 });
  });

  over(engine, "values are bytes, an empty one and every byte included", async ({ store, peer }) => {
    const every = Uint8Array.from({ length: 256 }, (_, i) => i);
    const given = new Uint8Array(every);
    const written = store.txn({ then: [{ op: "put", key: "every", value: given }, put("empty", "")] });
    await written;
    given.fill(0);
    expect((await get(peer, "every"))?.value).toEqual(every);
    expect((await get(peer, "empty"))?.value).toEqual(new Uint8Array());
  });

  over(engine, "a deleteRange deletes what there is and counts it", async ({ store }) => {
    await putEach(store, "a/1", "a/2", "b", "c");
    const result = await store.txn({
      then: [
        { op: "deleteRange", range: prefixRange("a/") },
        { op: "deleteRange", range: { from: "c" } },
        { op: "delete", key: "a" },
      ],
    });
    expect(result.results.map((r) => r.op !== "get" && r.op !== "put" && r.deleted)).toEqual([2, 1, 0]);
    expect(await keysOf(store)).toEqual(["b"]);
  });

  over(engine, "a step that changes nothing takes no revision", async ({ store }) => {
    const before = await putEach(store, "k");
    const idle: Transaction[] = [
      { then: [] },
      { then: [{ op: "get", range: prefixRange("") }] },
      { then: [{ op: "delete", key: "nothing" }] },
      { then: [{ op: "deleteRange", range: prefixRange("nothing/") }] },
      { when: [{ range: keyRange("k"), is: "absent" }], then: [put("k")] },
    ];
    for (const step of idle) expect((await store.txn(step)).revision).toBe(before);
    const next = await putEach(store, "k");
    if (engine.dense) expect([before, next]).toEqual([1, 2]);
    else expect(next).toBeGreaterThan(before);
  });

  over(engine, "the largest step goes through", async ({ store }) => {
    const value = "v".repeat(limits.bytes / limits.operations - 10);
    const then = Array.from({ length: limits.operations }, (_, i) => put(`key${i}`, value));
    const when = Array.from(
      { length: limits.comparisons },
      (_, i) => ({ range: { from: `${i}`, to: `${i}/` }, is: "absent" }) as const,
    );
    expect((await store.txn({ when: when.slice(0, 100), then })).succeeded).toBe(true);
    expect((await store.txn({ when, then: [] })).succeeded).toBe(true);
    expect((await store.range(prefixRange("key"), { countOnly: true })).count).toBe(limits.operations);
  });
}

function refusals(engine: EngineUnderTest): void {
  const big = "v".repeat(limits.bytes);
  const half = "v".repeat(limits.bytes / 2);
  const many = limits.operations + 1;
  const puts = Array.from({ length: many }, (_, i) => put(`k${i}`));
  const absents = Array.from({ length: many }, (_, i) => ({ range: keyRange(`k${i}`), is: "absent" }) as const);
  const equalsHalf: Comparison = { range: keyRange("k"), is: "value", equals: bytes(half) };
  const drop = (from: string, to?: string): Operation => ({
    op: "deleteRange",
    range: to === undefined ? { from } : { from, to },
  });
  const remove: Operation = { op: "delete", key: "k" };
  const { limitExceeded, duplicateKey, invalidKey } = storeErrors;
  const table: { name: string; step: Transaction; kind: ErrorKind }[] = [
    { name: "too many comparisons", step: { when: absents, then: [] }, kind: limitExceeded },
    { name: "too many operations", step: { then: puts }, kind: limitExceeded },
    { name: "too many operations in the branch not taken", step: { then: [], otherwise: puts }, kind: limitExceeded },
    { name: "a value too large", step: { then: [put("k", big)] }, kind: limitExceeded },
    { name: "a key too large", step: { then: [put(`${big}v`)] }, kind: limitExceeded },
    {
      name: "both branches together too large",
      step: { then: [put("k", half)], otherwise: [put("k", half)] },
      kind: limitExceeded,
    },
    {
      name: "a compared value too large beside a put",
      step: { when: [equalsHalf], then: [put("k", half)] },
      kind: limitExceeded,
    },
    { name: "two puts of a key", step: { then: [put("k"), put("k")] }, kind: duplicateKey },
    { name: "a put and a delete of a key", step: { then: [put("k"), remove] }, kind: duplicateKey },
    { name: "two deletes of a key", step: { then: [remove, remove] }, kind: duplicateKey },
    { name: "a deleteRange over a put", step: { then: [put("k/1"), drop("k", "l")] }, kind: duplicateKey },
    { name: "a deleteRange without end over a put", step: { then: [drop("k"), put("l")] }, kind: duplicateKey },
    { name: "overlapping deleteRanges", step: { then: [drop("a", "z"), drop("b", "c")] }, kind: duplicateKey },
    {
      name: "a key twice in the branch not taken",
      step: { then: [], otherwise: [put("k"), put("k")] },
      kind: duplicateKey,
    },
    { name: "an empty key", step: { then: [put("")] }, kind: invalidKey },
    { name: "half a surrogate pair in a key", step: { then: [put("a\ud800b")] }, kind: invalidKey },
    {
      name: "half a surrogate pair in a range",
      step: { when: [{ range: { from: "\udc00" }, is: "absent" }], then: [] },
      kind: invalidKey,
    },
  ];
  for (const { name, step, kind } of table) {
    over(engine, `refused with ${kind.code}: ${name}`, async ({ store }) => {
      await expectKind(store.txn(step), kind);
      expect(await keysOf(store)).toEqual([]);
    });
  }

  over(engine, "writes beside each other are no duplicates", async ({ store }) => {
    await putEach(store, "a", "b/1", "b/2", "d");
    const then = [drop("b", "c"), put("c"), put("a"), { op: "delete", key: "d" } as const, drop("e", "d")];
    await store.txn({ then, otherwise: [put("a")] });
    expect(await keysOf(store)).toEqual(["a", "c"]);
  });

  test("every call after close is refused with STORE_CLOSED", async () => {
    const { store, close } = await engine.open();
    await store.close();
    await store.close();
    await expectKind(store.txn({ then: [put("k")] }), storeErrors.closed);
    await expectKind(store.range({ from: "" }), storeErrors.closed);
    await expectKind(store.revision(), storeErrors.closed);
    await expectKind(store.grantLease(10), storeErrors.closed);
    await expectKind(store.compact(1), storeErrors.closed);
    await close();
  });
}

function equal(x: number, y: number): boolean {
  return x === y;
}

function less(x: number, y: number): boolean {
  return x < y;
}
