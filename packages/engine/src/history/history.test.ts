import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Sealing } from "../backend/sealing.ts";
import { inClear } from "../backend/sealing.ts";
import { TestEngine } from "../testing/test-engine.ts";
import { folderPlace } from "./folder-place.ts";
import { History } from "./history.ts";
import { changedOutputs, endedRun, type RunRecord, startedRun } from "./record.ts";

const signal = new AbortController().signal;
const start = { operation: "apply", who: "ada@lab", version: "0.1.0", at: new Date("2026-01-02T03:04:05Z") };

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "millwright-history-")), "runs");
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

const historyIn = (sealing: Sealing = inClear) => new History(folderPlace(join(folder, ".."), "runs"), sealing, signal);
const bare = (number: number): RunRecord => ({
  number,
  ...start,
  started: start.at.toISOString(),
  lineage: "l",
  serial: number,
  changes: [],
  irreversible: [],
  outputsBefore: {},
});

describe("runs are kept", () => {
  test("numbered from 1, for their owner's eyes", async () => {
    const history = historyIn();
    expect(await history.numbers()).toEqual([]);
    expect((await history.begin(bare, Buffer.from("plan one"))).number).toBe(1);
    expect((await history.begin(bare, Buffer.from("plan two"))).number).toBe(2);
    expect(await history.numbers()).toEqual([1, 2]);
    expect(Buffer.from((await history.plan(2))!).toString()).toBe("plan two");
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  test("the plans of the last fifty are, of older ones the record", async () => {
    const history = historyIn();
    for (let run = 0; run < 53; run++) await history.begin(bare, Buffer.from("p"));
    expect(await history.numbers()).toHaveLength(53);
    const plans = await Promise.all([1, 3, 4, 53].map(async (run) => (await history.plan(run)) !== undefined));
    expect(plans).toEqual([false, false, true, true]);
  });

  test("sealed as the state is", async () => {
    const flip = async (bytes: Uint8Array) => bytes.map((byte) => byte ^ 0xff);
    const history = historyIn({ sealed: true, seal: flip, open: flip, isCurrent: () => true });
    await history.begin(bare, Buffer.from("plan"));
    expect((await history.record(1))?.who).toBe("ada@lab");
    await expect(historyIn().record(1)).rejects.toThrow("damaged");
  });

  test("what else lies in the folder is no run, and a damaged record is named", async () => {
    const history = historyIn();
    await history.begin(bare, Buffer.from("plan"));
    writeFileSync(join(folder, "notes.json"), "mine");
    expect(await history.numbers()).toEqual([1]);
    writeFileSync(join(folder, "000001.json"), "{");
    await expect(history.records()).rejects.toThrow("The record of run 1");
  });
});

describe("what a record says", () => {
  const text = (value: string) => `resource "test_small" "a" {\n  name  = "a"\n  force = "${value}"\n}
output "shown" {\n  value = test_small.a.force\n}
output "hidden" {\n  value     = "hunter2"\n  sensitive = true\n}\n`;

  test("its changes, what cannot be undone, its end and its outputs; nothing sensitive", async () => {
    const engine = new TestEngine("");
    await engine.given(text("one"));
    engine.configure(text("two"));
    const { plan } = await engine.plan();
    const result = await engine.apply(plan);
    const begun = startedRun(7, plan, start);
    const record = endedRun(begun, result, result.state, new Date("2026-01-02T03:05:00Z"));
    expect(record).toMatchObject({
      number: 7,
      changes: [{ address: "test_small.a", action: "delete-create" }],
      irreversible: [{ address: "test_small.a" }],
      result: { complete: true, added: 1, changed: 0, destroyed: 1, errors: [] },
      outputsBefore: { shown: { value: "one" }, hidden: { sensitive: true } },
      outputsAfter: { shown: { value: "two" }, hidden: { sensitive: true } },
    });
    expect(changedOutputs(record)).toEqual(["shown"]);
    expect(changedOutputs(begun)).toEqual([]);
    expect(JSON.stringify(record)).not.toContain("hunter2");
  });

  test("what went wrong, with the object", async () => {
    const engine = new TestEngine(text("one"));
    engine.provider.alter.apply = (answer) => ({
      ...answer,
      diagnostics: [{ severity: "error", summary: "Quota", detail: "too many" }],
    });
    const { plan } = await engine.plan();
    const result = await engine.apply(plan);
    const record = endedRun(startedRun(1, plan, start), result, result.state, start.at);
    expect(record.result).toMatchObject({ complete: false, errors: ["test_small.a: Quota"] });
  });
});
