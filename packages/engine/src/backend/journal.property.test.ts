import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { applyPlan } from "../apply/apply.ts";
import type { ApplyRecorder } from "../apply/run.ts";
import type { State } from "../state.ts";
import { instancesOf } from "../state.ts";
import { objectPlain } from "../statefile/write.ts";
import { TestEngine } from "../testing/test-engine.ts";
import { JournalWriter, journalPath, readJournal } from "./journal.ts";
import { foldJournal, openCreates } from "./fold.ts";

/* Whatever a run does, and wherever its journal is cut off, the journal and a state make a true state. */

interface Wish {
  readonly value: number;
  readonly force: number;
  readonly madeFirst: boolean;
  readonly after: number | undefined;
}

const names = ["a", "b", "c", "d", "e"] as const;
const wish = fc.record({
  value: fc.nat({ max: 1 }),
  force: fc.nat({ max: 1 }),
  madeFirst: fc.boolean(),
  after: fc.option(fc.nat({ max: 4 }), { nil: undefined }),
});
const folderOf = fc.array(fc.option(wish, { nil: undefined }), { minLength: names.length, maxLength: names.length });
const fault = fc.record({
  on: fc.constantFrom("create", "update", "delete"),
  how: fc.constantFrom("fail", "failHalfway"),
  name: fc.constantFrom(...names),
});

/** Each resource may come after one before it in the alphabet, so there are no circles. */
function configurationOf(wishes: readonly (Wish | undefined)[]): string {
  return wishes
    .map((one, i) => {
      if (!one) return "";
      const other = one.after !== undefined && one.after < i && wishes[one.after] ? names[one.after] : undefined;
      return `resource "test_small" "${names[i]}" {
  name  = "${names[i]}"
  value = ${other ? `"${one.value} \${test_small.${other}.id}"` : `"${one.value}"`}
  force = "${one.force}"
  lifecycle {
    create_before_destroy = ${one.madeFirst}
  }
}
`;
    })
    .join("");
}

/** The objects of a state as texts, by address and deposed key. */
function objectsOf(state: State): ReadonlyMap<string, string> {
  const text = (object: Parameters<typeof objectPlain>[1]) => JSON.stringify(objectPlain(undefined, object, undefined));
  return new Map(
    instancesOf(state).flatMap(({ address, instance: { current, deposed } }) => [
      ...(current ? [[address.text, text(current)] as const] : []),
      ...[...deposed].map(([key, object]) => [`${address.text} ${key}`, text(object)] as const),
    ]),
  );
}

interface Saved {
  /** How much of the journal was on disk when the state was saved. */
  readonly bytes: number;
  readonly state: State;
}

/** Applies what is configured; the journal's bytes, and the states that were saved on the way. */
async function journalOf(engine: TestEngine, statePath: string) {
  const { plan } = await engine.plan();
  const header = { lineage: "l", serial: 1, pid: 1, processStart: "1", started: "2026-01-02T03:04:05Z" };
  const journal = new JournalWriter(statePath, header, []);
  const size = () => readFileSync(journalPath(statePath), "utf8").trimEnd().length;
  const saved: Saved[] = [];
  const result = await applyPlan({
    plan,
    context: engine.context(true, []),
    pool: engine.pool(),
    ports: engine.ports(),
    recorder: journal,
    parallelism: 10,
    onState: (builder) => saved.push({ bytes: size() + 1, state: builder.snapshot() }),
  });
  journal.leave();
  return { before: plan.priorState, bytes: readFileSync(journalPath(statePath)), saved, result };
}

type Line = {
  readonly before?: Parameters<ApplyRecorder["before"]>[0];
  readonly after?: Parameters<ApplyRecorder["after"]>[0];
};

/** The whole lines of a journal that is cut off; one that lacks only its end is whole. */
function linesOf(bytes: Buffer, cut: number): readonly Line[] {
  const until = bytes[cut] === 10 ? cut : bytes.lastIndexOf(10, cut - 1);
  const lines = bytes.subarray(0, until).toString("utf8").split("\n");
  return lines.map((text) => JSON.parse(text) as Line);
}

test("cut off after any byte, the journal has all that was noted, and names what was under way", async () => {
  const folder = mkdtempSync(join(tmpdir(), "journal-property-"));
  const statePath = join(folder, "terraform.tfstate");
  try {
    await fc.assert(
      fc.asyncProperty(folderOf, folderOf, fc.array(fault, { maxLength: 2 }), async (first, second, faults) => {
        const engine = new TestEngine("");
        await engine.given(configurationOf(first));
        engine.configure(configurationOf(second));
        for (const one of faults) engine.provider.faults.add({ ...one, times: 1 });
        const { before, bytes, saved, result } = await journalOf(engine, statePath);
        const header = bytes.indexOf(10) + 1;
        for (let cut = header; cut <= bytes.length; cut++) {
          const isEnd = cut === bytes.length || bytes[cut - 1] === 10;
          // Inside of a line nothing changes from byte to byte: some of them will do.
          if (!isEnd && cut % 211 !== 0) continue;
          writeFileSync(journalPath(statePath), bytes.subarray(0, cut));
          const record = readJournal(statePath)!;
          const folded = foldJournal(before, record);
          expectTrue(linesOf(bytes, cut), objectsOf(before), folded, record);
          for (const one of saved.filter((state) => state.bytes <= cut)) {
            const again = foldJournal(one.state, record);
            expectNothingLost(objectsOf(folded), objectsOf(again), objectsOf(one.state), record);
            expect(objectsOf(foldJournal(again, record))).toEqual(objectsOf(again));
          }
        }
        writeFileSync(journalPath(statePath), bytes);
        expect(objectsOf(foldJournal(before, readJournal(statePath)!))).toEqual(objectsOf(result.state));
      }),
      { numRuns: Number(process.env.RUNS ?? 25) },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

type Record = NonNullable<ReturnType<typeof readJournal>>;

function expectTrue(lines: readonly Line[], before: ReadonlyMap<string, string>, folded: State, record: Record): void {
  const objects = objectsOf(folded);
  const ends = new Map(lines.flatMap(({ after }) => (after ? [[after.sequence, after] as const] : [])));
  const begun = lines.flatMap((line) => (line.before ? [line.before] : []));
  const touched = new Set(begun.map(({ address }) => address));
  // The last word on an address is what is there.
  const last = new Map<string, string | undefined>();
  for (const { after } of lines) {
    if (!after || after.deposedKey !== undefined) continue;
    const text = after.object && JSON.stringify(after.object);
    last.set(after.address, after.restores === undefined ? text : before.get(after.address));
  }
  for (const { sequence, address, action, deposes, deposedKey } of begun) {
    if (ends.has(sequence)) continue;
    if (action === "create") expect(record.pending.map((entry) => entry.address)).toContain(address);
    else expect(record.unfinished).toContainEqual(expect.objectContaining({ address, action }));
    if (deposes !== undefined) expect(objects.get(`${address} ${deposes}`)).toBe(before.get(address));
    if (action === "delete" && deposedKey !== undefined) expect(objects.has(`${address} ${deposedKey}`)).toBe(true);
    if (action !== "create" && deposedKey === undefined) expect(objects.get(address)).toBe(before.get(address));
    last.delete(address);
  }
  for (const [address, text] of last) expect(objects.get(address)).toBe(text);
  for (const [key, text] of before) if (!touched.has(key.split(" ")[0]!)) expect(objects.get(key)).toBe(text);
}

/** From a state that was saved on the way the same comes out, but for what it had before it was noted. */
function expectNothingLost(
  want: ReadonlyMap<string, string>,
  got: ReadonlyMap<string, string>,
  saved: ReadonlyMap<string, string>,
  record: Record,
): void {
  const open = new Set([...record.pending, ...record.unfinished].map(({ address }) => address));
  for (const [key, text] of want) {
    if (!open.has(key.split(" ")[0]!)) expect(got.get(key)).toBe(text);
    else if (!got.has(key)) expect([...got.values(), "gone"]).toContain(saved.has(key) ? text : "gone");
  }
  for (const key of got.keys()) expect(want.has(key) || saved.has(key)).toBe(true);
}

test("a create that the saved state holds is no longer open", async () => {
  const engine = new TestEngine(`resource "test_small" "a" {\n name = "a"\n}\n`);
  await engine.apply();
  const open = { address: "test_small.a", provider: "p", type: "test_small", schemaVersion: 0, sent: "{}", at: "" };
  const other = { ...open, address: "test_small.b" };
  expect(openCreates(engine.state, [open, other])).toEqual([other]);
});
