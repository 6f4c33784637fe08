import type { HttpRequest } from "@millwright/core/http";
import { silentLog, systemChance, systemClock } from "@millwright/core/ports";
import type { Store } from "@millwright/store/contract";
import { openMemoryStore } from "@millwright/store/memory";
import { afterEach, beforeEach, expect, test } from "vitest";
import { library, type Library, type Shelf } from "../test/library.ts";
import { blockingRead } from "./blocking.ts";
import { commitDraft } from "./commit.ts";
import { Projection } from "./projection.ts";
import type { RecordState } from "./state.ts";

type LibraryState = RecordState<Library, Shelf>;

let store: Store;
let projection: Projection<LibraryState>;
beforeEach(async () => {
  store = openMemoryStore();
  projection = await Projection.open(library, { store, clock: systemClock, log: silentLog });
});
afterEach(async () => {
  await projection.close();
  await store.close();
});

const chance = { ...systemChance, fraction: () => 0 };
const topics = ["book/by/austen"];

/** The books of Austen, once they are above the index. */
function austen(index: number, wait: number, stop: AbortSignal = new AbortController().signal) {
  const request: Pick<HttpRequest, "signal"> = { signal: stop };
  return blockingRead(
    { projection, clock: systemClock, chance },
    { consistency: "default", index, wait },
    { kind: "topics", topics },
    request,
    {
      index: (state) => state.indexOf(state.changedTopics(topics)),
      value: (state) => [...state.list("book", "by/austen")].map(({ key }) => key),
    },
  );
}

async function write(title: string, author: string): Promise<number> {
  const { revision } = await commitDraft({ store, projection, clock: systemClock }, (draft) =>
    draft.put("book", title, { author, reader: null }),
  );
  return projection.state.indexOf(revision);
}

test("a read without an index, or with an old one, answers at once with what was last acknowledged", async () => {
  const index = await write("emma", "austen");
  const want = { index, value: ["emma"] };
  expect(await austen(0, 60_000)).toEqual(want);
  expect(await austen(index - 1, 60_000)).toEqual(want);
});

test("a read at its index waits for a change of its subject, and sleeps through all others", async () => {
  const index = await write("emma", "austen");
  let isAnswered = false;
  const read = austen(index, 60_000).finally(() => {
    isAnswered = true;
  });
  await write("middlemarch", "eliot");
  await projection.fresh();
  expect(isAnswered).toBe(false);
  const next = await write("persuasion", "austen");
  expect(await read).toEqual({ index: next, value: ["emma", "persuasion"] });
});

test("a read whose wait is over, or whose client has gone, answers with what there is", async () => {
  const index = await write("emma", "austen");
  expect(await austen(index, 5)).toEqual({ index, value: ["emma"] });
  const gone = new AbortController();
  const read = austen(index, 60_000, gone.signal);
  gone.abort();
  expect(await read).toEqual({ index, value: ["emma"] });
});
