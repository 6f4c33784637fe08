import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { impliedType } from "@millwright/provider/implied-type";
import { decodeJson } from "@millwright/value/json";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ApplyRecorder } from "../apply/run.ts";
import type { State } from "../state.ts";
import { writeStateFile } from "../statefile/write.ts";
import { plainOf, TestEngine } from "../testing/test-engine.ts";
import type { JournalHeader } from "./journal.ts";
import { JournalWriter, journalPath, keepPending, processStart, readJournal } from "./journal.ts";
import { foldJournal } from "./fold.ts";

let folder = "";
let statePath = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "journal-"));
  statePath = join(folder, "terraform.tfstate");
});
afterEach(() => rmSync(folder, { recursive: true }));

const header: JournalHeader = { lineage: "l", serial: 3, pid: 1, processStart: "1", started: "2026-01-01T00:00:00Z" };
const small = (name: string, rest = "") => `resource "test_small" "${name}" {\n  name = "${name}"\n  ${rest}\n}\n`;
const text = (state: State) => writeStateFile({ lineage: "l", serial: 1, state: { ...state, outputs: new Map() } });

describe("a left journal, folded into the state from before, is the state that the run had", () => {
  const madeFirst = "lifecycle {\n create_before_destroy = true\n}";
  const cases: readonly {
    name: string;
    before: string;
    after: string;
    fault?: Parameters<TestEngine["provider"]["faults"]["add"]>[0];
  }[] = [
    { name: "creates", before: "", after: small("a", "count = 3") },
    { name: "updates", before: small("a", 'value = "1"'), after: small("a", 'value = "2"') },
    { name: "deletes", before: small("a", "count = 3"), after: small("a", "count = 1") },
    { name: "replacements", before: small("a", 'force = "1"'), after: small("a", 'force = "2"') },
    {
      name: "replacements made first",
      before: small("a", `force = "1"\n${madeFirst}`),
      after: small("a", `force = "2"\n${madeFirst}`),
    },
    { name: "a create that fails halfway", before: "", after: small("a"), fault: { on: "create", how: "failHalfway" } },
    { name: "a create that fails", before: "", after: small("a"), fault: { on: "create", how: "fail" } },
    {
      name: "an update that fails halfway",
      before: small("a", 'value = "1"'),
      after: small("a", 'value = "2"'),
      fault: { on: "update", how: "failHalfway" },
    },
    { name: "a delete that fails", before: small("a"), after: "", fault: { on: "delete", how: "fail" } },
    {
      name: "a replacement made first whose create fails",
      before: small("a", `force = "1"\n${madeFirst}`),
      after: small("a", `force = "2"\n${madeFirst}`),
      fault: { on: "create", how: "fail" },
    },
    {
      name: "a replacement made first whose create fails halfway",
      before: small("a", `force = "1"\n${madeFirst}`),
      after: small("a", `force = "2"\n${madeFirst}`),
      fault: { on: "create", how: "failHalfway" },
    },
    {
      name: "a replacement made first whose delete fails",
      before: small("a", `force = "1"\n${madeFirst}`),
      after: small("a", `force = "2"\n${madeFirst}`),
      fault: { on: "delete", how: "fail" },
    },
    {
      name: "secrets",
      before: "",
      after: `variable "s" {\n default = "x"\n sensitive = true\n}\n${small("a", "value = var.s")}`,
    },
  ];
  for (const { name, before, after, fault } of cases) {
    test(name, async () => {
      const engine = new TestEngine("");
      await engine.given(before);
      engine.configure(after);
      const { plan } = await engine.plan();
      if (fault) engine.provider.faults.add(fault);
      const journal = new JournalWriter(statePath, header, []);
      await engine.apply(plan, { recorder: journal });
      journal.leave();
      const record = readJournal(statePath)!;
      expect(record.header).toEqual(header);
      expect(record.pending).toEqual([]);
      expect(text(foldJournal(plan.priorState, record))).toBe(text(engine.state));
    });
  }
});

describe("a run that was killed", () => {
  const intent = {
    provider: 'provider["registry.terraform.io/millwright/test"]',
    type: "test_small",
    schemaVersion: 0,
  } as const;

  test("leaves the creates that were under way, and what was sent", async () => {
    const journal = new JournalWriter(statePath, header, []);
    await journal.before({ ...intent, sequence: 1, address: "test_small.a", action: "create", sent: '{"name":"a"}' });
    await journal.before({ ...intent, sequence: 2, address: "test_small.b", action: "update" });
    journal.leave();
    const record = readJournal(statePath)!;
    expect(record.pending).toMatchObject([{ address: "test_small.a", sent: '{"name":"a"}' }]);
    expect(record.unfinished).toMatchObject([{ address: "test_small.b", action: "update" }]);
    expect(record.changes).toBe(2);
  });

  test("keeps what was open before it", async () => {
    const open = { ...intent, address: "test_small.z", sent: "{}", at: "2026-01-01T00:00:00Z" };
    const journal = new JournalWriter(statePath, header, [open]);
    journal.leave();
    expect(readJournal(statePath)!.pending).toEqual([open]);
  });

  test("may have been cut off in the middle of its last line", async () => {
    const journal = new JournalWriter(statePath, header, []);
    await journal.before({ ...intent, sequence: 1, address: "test_small.a", action: "create", sent: "{}" });
    await journal.after({ sequence: 1, address: "test_small.a", provider: intent.provider, ok: false });
    journal.leave();
    const path = journalPath(statePath);
    const whole = readFileSync(path, "utf8").trimEnd().length + 1;
    for (let cut = 1; cut < 60; cut++) {
      truncateSync(path, whole - cut);
      const record = readJournal(statePath)!;
      expect(record.pending.map((entry) => entry.address)).toEqual(cut === 1 ? [] : ["test_small.a"]);
    }
  });

  test("may have left an empty journal, which says nothing", () => {
    appendFileSync(journalPath(statePath), "");
    expect(readJournal(statePath)).toBeUndefined();
  });
});

describe("the journal's file", () => {
  test("is for its owner's eyes only, and gone after a clean end", async () => {
    const journal = new JournalWriter(statePath, header, []);
    expect(statSync(journalPath(statePath)).mode & 0o777).toBe(0o600);
    journal.finish([], header);
    expect(existsSync(journalPath(statePath))).toBe(false);
    expect(readJournal(statePath)).toBeUndefined();
  });

  test("stays after a clean end where creates are still open", () => {
    const open = { address: "a.b", provider: "p", type: "a", schemaVersion: 0, sent: "{}", at: "x" };
    const journal = new JournalWriter(statePath, header, [open]);
    journal.finish([open], header);
    expect(readJournal(statePath)).toMatchObject({ pending: [open], changes: 0 });
    keepPending(statePath, header, []);
    expect(existsSync(journalPath(statePath))).toBe(false);
  });

  test("has whole lines, each in its place, however many are written at a time", async () => {
    const journal = new JournalWriter(statePath, header, []);
    await Promise.all(
      Array.from({ length: 500 }, async (_, i) => {
        const common = { sequence: i, address: `a.b[${i}]`, provider: "p" };
        await journal.before({ ...common, action: "update", type: "a", schemaVersion: 0 });
        await journal.after({ ...common, ok: true });
      }),
    );
    journal.leave();
    const lines = readFileSync(journalPath(statePath), "utf8").trimEnd().split("\n");
    expect(lines).toHaveLength(1001);
    expect(readJournal(statePath)).toMatchObject({ changes: 500, unfinished: [] });
  });

  test("names the processes of providers", async () => {
    const journal = new JournalWriter(statePath, header, []);
    const process = { pid: 7, startTime: "123", boot: "b" };
    await journal.process(process);
    journal.leave();
    expect(readJournal(statePath)).toMatchObject({ changes: 0, processes: [process] });
  });

  test("is on disk before the promise resolves", async () => {
    const journal = new JournalWriter(statePath, header, []);
    await journal.before({ sequence: 1, address: "a.b", action: "delete", provider: "p", type: "a", schemaVersion: 0 });
    expect(readFileSync(journalPath(statePath), "utf8")).toContain('"a.b"');
    journal.leave();
  });

  test("that cannot be made is an error that says what to do", () => {
    expect(() => new JournalWriter(join(folder, "none", "terraform.tfstate"), header, [])).toThrow(
      /cannot be written: .*Make room, or make the folder writable/,
    );
  });

  test("that can no longer be written rejects each change", async () => {
    const journal: ApplyRecorder & { leave(): void } = new JournalWriter(statePath, header, []);
    journal.leave();
    const intent = {
      sequence: 1,
      address: "a.b",
      action: "delete",
      provider: "p",
      type: "a",
      schemaVersion: 0,
    } as const;
    await expect(journal.before(intent)).rejects.toThrow(/cannot be written/);
    await expect(journal.before(intent)).rejects.toThrow(/cannot be written/);
  });
});

test("a process is told from another that has its number by when it started", () => {
  expect(processStart(process.pid)).toMatch(/^\d+$/);
  expect(processStart(2 ** 30)).toBeUndefined();
});

test("what was sent can be read back by the schema, also where an attribute takes values of any type", async () => {
  const engine = new TestEngine(
    `resource "test_thing" "a" {\n name = "a"\n anything = { deep = [1] }\n secret = "x"\n}\n`,
  );
  const sent: string[] = [];
  const recorder: ApplyRecorder = {
    before: async (intent) => void sent.push(intent.sent ?? ""),
    after: () => Promise.resolve(),
  };
  await engine.apply(undefined, { recorder });
  const { block } = (await engine.provider.start().schema()).resources.get("test_thing")!;
  const read = decodeJson(sent[0]!, impliedType(block));
  if (!read.ok) throw new Error(read.message);
  expect(plainOf(read.value)).toMatchObject({ name: "a", anything: { deep: [1] }, secret: null, id: null });
});
