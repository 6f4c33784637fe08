import { asString, stringValue } from "@millwright/value/value";
import fc from "fast-check";
import { expect, test } from "vitest";
import { KeptState } from "../backend/kept-state.ts";
import { inClear } from "../backend/sealing.ts";
import { emptyState, type OutputState, type State } from "../state.ts";
import { type SharedPlace, SharedSlot } from "../testing/shared-slot.ts";
import { differingParts } from "./merge.ts";
import { outputPart } from "./parts-of-plan.ts";

/* Runs that share a state, in whatever order their steps fall, come to what they come to one after the other. */

const names = ["a", "b", "c", "d", "e"];
/** What one run does: each of its names gets a new value, made from what it reads and its own number. */
const program = fc.record({
  writes: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }),
  reads: fc.uniqueArray(fc.constantFrom(...names), { maxLength: 2 }),
  /** After so many of its names it is killed. */
  killedAfter: fc.option(fc.nat({ max: 2 }), { nil: undefined }),
});
type Program = (typeof program extends fc.Arbitrary<infer T> ? T : never) & object;

const output = (text: string): OutputState => ({ value: stringValue(text), sensitive: false });
const textsOf = (state: State) => new Map([...state.outputs].map(([name, { value }]) => [name, asString(value)]));

function did(before: ReadonlyMap<string, string>, { writes, reads, killedAfter }: Program, run: number) {
  const from = [...writes, ...reads].map((name) => before.get(name)).join(",");
  const made = writes.map((name) => [name, `${run}(${from.length > 60 ? from.slice(-60) : from})`] as const);
  return killedAfter === undefined ? made : made.slice(0, killedAfter);
}

/** One run, as apply does it: share, read, plan, hold, look again, write on the way and at the end. */
async function carryOut(slot: SharedSlot, what: Program, run: number, wait: () => Promise<void>): Promise<number> {
  const info = { ID: String(run), Operation: "", Info: "", Who: "", Version: "", Created: "", Path: "" };
  const shared = await slot.share(info);
  if (shared.kind !== "held") throw new Error(shared.kind);
  const { hold } = shared;
  const places = { from: slot, to: slot, runPath: "/none", folder: "/" };
  const { signal } = new AbortController();
  const { value: kept } = await KeptState.open(places, {
    sealing: inClear,
    newLineage: () => "",
    signal,
    shared: hold,
  });
  const changed = what.writes.map(outputPart);
  const read = what.reads.map(outputPart).filter((part) => !changed.includes(part));
  for (;;) {
    const planned = kept.current.state;
    while ((await hold.hold({ changed, read })).kind === "busy") await wait();
    await kept.reread();
    if (differingParts(planned, kept.current.state, [...changed, ...read]).length > 0) continue;
    kept.own({ changed: new Set(changed), along: new Set() });
    const outputs = new Map(planned.outputs);
    for (const [name, text] of did(textsOf(planned), what, run)) {
      outputs.set(name, output(text));
      await kept.write({ ...planned, outputs: new Map(outputs) });
    }
    const { serial } = kept.current;
    await hold.release();
    return serial;
  }
}

test("runs of parts in any order of their steps give what some order of whole runs gives", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(program, { minLength: 2, maxLength: 4 }), fc.scheduler(), async (programs, scheduler) => {
      const at: SharedPlace = { bytes: undefined, whole: new Set() };
      const start = { ...emptyState, outputs: new Map(names.map((name) => [name, output(name)])) };
      const places = { runPath: "/none", folder: "/" };
      const first = new SharedSlot(at, async () => undefined);
      const { signal } = new AbortController();
      const options = { sealing: inClear, newLineage: () => "lineage", signal };
      await (await KeptState.open({ ...places, from: first, to: first }, options)).value.write(start);

      const ended: number[] = [];
      const runs = programs.map(async (what, run) => {
        const turn = (name: string) => scheduler.schedule(Promise.resolve(), `${run} ${name}`);
        await carryOut(new SharedSlot(at, turn), what, run, () => turn("waits"));
        ended.push(run);
      });
      await Promise.all([...runs, scheduler.waitFor(Promise.all(runs))]);

      const last = (await KeptState.open({ ...places, from: first, to: first }, options)).value.current;
      let serially: ReadonlyMap<string, string> = textsOf(start);
      for (const run of ended) serially = new Map([...serially, ...did(serially, programs[run]!, run)]);
      expect(textsOf(last.state)).toEqual(serially);
      const writes = programs.reduce(
        (sum, { writes, killedAfter = writes.length }) => sum + Math.min(killedAfter, writes.length),
        0,
      );
      expect(last.serial).toBe(1 + writes);
    }),
    { numRuns: 300, ...(process.env.SEED ? { seed: Number(process.env.SEED) } : {}) },
  );
});
