import { silentLog, systemClock } from "@millwright/core/ports";
import { prefixRange, type Store } from "@millwright/store/contract";
import { openMemoryStore } from "@millwright/store/memory";
import { afterEach, beforeEach, expect, test } from "vitest";
import { library, type Library, type Shelf } from "../test/library.ts";
import { recordsErrors } from "./errors.ts";
import { cleanGenerations, withGenerationLock } from "./generations.ts";
import { Projection } from "./projection.ts";
import type { RecordState } from "./state.ts";

let store: Store;
let projection: Projection<RecordState<Library, Shelf>>;
beforeEach(async () => {
  store = openMemoryStore();
  projection = await Projection.open(library, { store, clock: systemClock, log: silentLog });
});
afterEach(async () => {
  await projection.close();
  await store.close();
});

const context = () => ({ store, projection, clock: systemClock, log: silentLog });

test("a generation that does not hold is removed, whole, and the one that holds stays", async () => {
  const { layout } = projection.state;
  const value = library.tables.reader.encode({ name: "a" });
  for (const generation of [1, 7])
    for (let i = 0; i < 30; i++) {
      await store.txn({ then: [{ op: "put", key: layout.record(generation, "reader", `r${i}`), value }] });
    }
  await projection.fresh();
  expect(projection.state.otherGenerations).toEqual([7]);
  await cleanGenerations(context());
  await projection.fresh();
  expect(projection.state.otherGenerations).toEqual([]);
  expect((await store.range(prefixRange(layout.generation(7)), { countOnly: true })).count).toBe(0);
  expect(projection.state.count("reader")).toBe(30);
});

test("only one at a time writes generations, and when it is done the next may", async () => {
  await withGenerationLock(context(), async () => {
    const second = withGenerationLock(context(), async () => "in");
    await expect(second).rejects.toMatchObject({ code: recordsErrors.restoreUnderWay.code });
  });
  expect(await withGenerationLock(context(), async () => "in")).toBe("in");
});
