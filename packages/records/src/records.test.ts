import { type Clock, silentLog, systemClock } from "@millwright/core/ports";
import type { Store } from "@millwright/store/contract";
import { faultyStore } from "@millwright/store/faulty-store";
import { openMemoryStore } from "@millwright/store/memory";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { library, type Library, type Shelf } from "../test/library.ts";
import { commitDraft } from "./commit.ts";
import type { Draft } from "./draft.ts";
import { recordsErrors } from "./errors.ts";
import { encodeMeta } from "./meta.ts";
import { Projection, rebuildState } from "./projection.ts";
import type { RecordState } from "./state.ts";
import { sweepTombstones } from "./sweep.ts";

type LibraryState = RecordState<Library, Shelf>;
type LibraryDraft = Draft<Library, Shelf>;

let store: Store;
let projection: Projection<LibraryState>;
let minutes: number;
const clock: Clock = { ...systemClock, now: () => 1_000_000 + minutes * 60_000 };
beforeEach(async () => {
  minutes = 0;
  store = openMemoryStore();
  projection = await Projection.open(library, { store, clock, log: silentLog });
});
afterEach(async () => {
  await projection.close();
  await store.close();
});

async function write(work: (draft: LibraryDraft) => void): Promise<number> {
  const { revision } = await commitDraft({ store, projection, clock }, work);
  await projection.reached(revision);
  return revision;
}

const emma = { author: "austen", reader: null };

describe("what a schema keeps beside the rows", () => {
  test("is told of every change", async () => {
    await write((draft) => {
      draft.put("book", "emma", emma);
      draft.put("book", "persuasion", emma);
      draft.put("book", "middlemarch", { author: "eliot", reader: null });
    });
    await write((draft) => draft.put("book", "emma", { author: "anonymous", reader: null }));
    await write((draft) => draft.delete("book", "middlemarch"));
    expect(projection.state.derived.counts).toEqual(
      new Map([
        ["anonymous", 1],
        ["austen", 1],
      ]),
    );
    const { state } = await rebuildState(library, store);
    expect(state.derived.counts).toEqual(projection.state.derived.counts);
  });

  test("belongs to its generation: a restore shows the other one's whole, and its rows with it", async () => {
    await write((draft) => draft.put("book", "emma", emma));
    const { layout } = projection.state;
    const value = library.tables.book.encode({ author: "eliot", reader: null });
    await store.txn({ then: [{ op: "put", key: layout.record(2, "book", "middlemarch"), value }] });
    await projection.fresh();
    expect([...projection.state.derived.counts.keys()]).toEqual(["austen"]);
    await store.txn({ then: [{ op: "put", key: layout.meta, value: encodeMeta({ generation: 2, base: 100 }) }] });
    await projection.fresh();
    expect([...projection.state.derived.counts.keys()]).toEqual(["eliot"]);
    expect(projection.state.derived.rows.get("book", "middlemarch")).toMatchObject({ author: "eliot" });
  });
});

describe("a topic", () => {
  test("rises with what is put into its list, changed in it, or taken out of it, and takes others with it", async () => {
    const first = await write((draft) => draft.put("book", "emma", emma));
    const lent = await write((draft) => draft.put("book", "emma", { ...emma, reader: "r1" }));
    expect(projection.state.changedTopics(["book/at/r1"])).toBe(lent);
    const back = await write((draft) => draft.put("book", "emma", emma));
    const other = await write((draft) => draft.put("book", "middlemarch", { author: "eliot", reader: null }));
    const risen = (topic: string) => projection.state.changedTopics([topic]);
    expect(first).toBeLessThan(lent);
    expect([risen("book/at/r1"), risen("book/by/austen"), risen("works/austen")]).toEqual([back, back, back]);
    expect([risen("book"), risen("works/eliot")]).toEqual([other, other]);
  });

  test("wakes who waits for it, and nobody else", async () => {
    let woken = "";
    const stop = new AbortController();
    const austen = projection.changed({ kind: "topics", topics: ["works/austen"] }, stop.signal);
    const eliot = projection.changed({ kind: "topics", topics: ["works/eliot"] }, stop.signal);
    eliot.then(() => {
      woken = "eliot";
    });
    await write((draft) => draft.put("book", "emma", emma));
    await austen;
    expect(woken).toBe("");
    stop.abort();
    await eliot;
  });
});

describe("a commit", () => {
  const key = () => projection.state.layout.record(1, "reader", "r1");
  const named = (name: string) => library.tables.reader.encode({ name });

  test("is worked out anew where what it read has changed meanwhile", async () => {
    await write((draft) => draft.put("reader", "r1", { name: "a" }));
    let races = 1;
    const racing = faultyStore(store);
    racing.beforeTxn = async () => {
      if (races-- > 0) await store.txn({ then: [{ op: "put", key: key(), value: named("b") }] });
    };
    const { value, revision } = await commitDraft({ store: racing, projection, clock }, (draft) => {
      const { name } = draft.row("reader", "r1")!;
      draft.put("reader", "r1", { name: `${name}+` });
      return name;
    });
    await projection.reached(revision);
    expect(value).toBe("b");
    expect(projection.state.row("reader", "r1")).toMatchObject({ name: "b+", modified: revision });
  });

  test("is given up where others never stop changing it", async () => {
    let count = 0;
    const racing = faultyStore(store);
    racing.beforeTxn = async () => {
      await store.txn({ then: [{ op: "put", key: key(), value: named(String(count++)) }] });
    };
    const work = (draft: LibraryDraft) => draft.put("reader", "r1", { name: "mine" });
    await expect(commitDraft({ store: racing, projection, clock }, work)).rejects.toMatchObject({
      code: recordsErrors.contended.code,
    });
  });

  test("that writes what is there already is none", async () => {
    const revision = await write((draft) => draft.put("book", "emma", emma));
    expect(await write((draft) => draft.put("book", "emma", { ...emma }))).toBe(revision);
  });

  test("of more than the store takes in one step is refused", async () => {
    const work = (draft: LibraryDraft) => {
      for (let i = 0; i < 129; i++) draft.put("reader", `r${i}`, { name: "a" });
    };
    await expect(write(work)).rejects.toMatchObject({ code: recordsErrors.tooLarge.code });
  });
});

interface Step {
  readonly do: "book" | "reader" | "dropBook" | "dropReader" | "dropReaders" | "sweep";
  readonly id: number;
  readonly to: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom<Step["do"]>("book", "book", "book", "reader", "dropBook", "dropReader", "dropReaders", "sweep"),
  id: fc.nat(3),
  to: fc.nat(2),
});

test("the state equals its rebuild, and no index of a topic ever falls, whatever happens", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const own = openMemoryStore();
      const followed = await Projection.open(library, { store: own, clock, log: silentLog });
      const context = { store: own, projection: followed, clock, log: silentLog };
      let before = indexesOf(followed.state);
      for (const taken of steps) {
        if (taken.do === "sweep") {
          minutes += 16;
          await sweepTombstones(context);
          await followed.fresh();
        } else {
          const { revision } = await commitDraft(context, (draft) => take(draft, taken));
          await followed.reached(revision);
        }
        const after = indexesOf(followed.state);
        expect(after.every((index, i) => index >= before[i]!)).toBe(true);
        before = after;
        const { state } = await rebuildState(library, own);
        expect(described(followed.state)).toEqual(described(state));
      }
      await followed.close();
      await own.close();
    }),
    { numRuns: 60, seed: 23 },
  );
});

function take(draft: LibraryDraft, { do: what, id, to }: Step): void {
  switch (what) {
    case "book":
      return draft.put("book", `b${id}`, { author: `a${id % 2}`, reader: to === 0 ? null : `r${to}` });
    case "reader":
      return draft.put("reader", `r${id}`, { name: `n${to}` });
    case "dropBook":
      return draft.delete("book", `b${id}`);
    case "dropReader":
      return draft.delete("reader", `r${id}`);
    case "dropReaders":
      return draft.deleteAll("reader", "r");
    case "sweep":
      return;
  }
}

const topics = ["book", "book/by/a0", "book/by/a1", "book/at/r1", "book/at/r2", "works/a0", "works/a1"];

function indexesOf(state: LibraryState): readonly number[] {
  const keys = ["r0", "r1", "r2", "r3"].map((key) => state.changedKey(key));
  return [...keys, state.changedUnder("r"), ...topics.map((topic) => state.changedTopics([topic]))];
}

function described(state: LibraryState): object {
  return {
    books: [...state.rows("book")],
    lent: [...state.listNames("book", "at/")].sort().map((name) => [name, [...state.list("book", name)]]),
    readers: [...state.rows("reader")],
    counts: state.derived.counts,
    indexes: indexesOf(state),
  };
}
