import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { note, noteText } from "@millwright/provider/plan-note";
import { asMap } from "@millwright/value/value";
import { expect, test } from "vitest";
import { planJson } from "../formats/plan-json.ts";
import { readPlanFile, writePlanFile } from "../planfile/plan-file.ts";
import { TestEngine } from "../testing/test-engine.ts";
import type { Plan } from "./plan.ts";

/* What a provider has people read beside a planned change. */

const small = (value: string) => `variable "s" {
  default   = "hunter2"
  sensitive = true
}
resource "test_small" "a" {
  name  = "a"
  value = ${value}
}
`;

/** An engine whose provider notes what it plans, and remembers how often it planned. */
function noting(files: string): TestEngine {
  const engine = new TestEngine(files);
  let planned = 0;
  engine.provider.alter.plan = (answer) => ({
    ...answer,
    plannedPrivate: new Uint8Array([++planned]),
    notes: [note("Dry run:", "heading"), note(`value ${asMap(answer.planned).get("value")?.data}`)],
  });
  return engine;
}

function notesOf({ changes }: Plan): readonly (string | undefined)[] {
  return changes.map(({ notes }) => notes?.map(noteText).join(" "));
}

test("a planned change has the notes of its provider, and one that changes nothing has none", async () => {
  const engine = noting(small('"x"'));
  const { plan } = await engine.plan();
  expect(notesOf(plan)).toEqual(["Dry run: value x"]);
  await engine.apply(plan);
  expect(notesOf((await engine.plan()).plan)).toEqual([undefined]);
});

test("a replacement has the notes of the new object", async () => {
  const engine = noting(small('"x"'));
  await engine.apply();
  const { plan } = await engine.plan({ forceReplace: ["test_small.a"] });
  expect(notesOf(plan)).toEqual(["Dry run: value x"]);
  const planned = engine.provider.log.calls.filter(({ method }) => method === "planResourceChange");
  expect(plan.changes[0]!.plannedPrivate).toEqual(new Uint8Array([planned.length]));
});

test("notes on a configuration with sensitive values are held back", async () => {
  const { plan } = await noting(small("var.s")).plan();
  expect(notesOf(plan)).toEqual(["(the provider's notes are not shown: the configuration has sensitive values)"]);
});

test("notes are in a saved plan and in the plan's JSON", async () => {
  const folder = mkdtempSync(join(tmpdir(), "notes-"));
  const path = join(folder, "tfplan");
  const engine = noting(small('"x"'));
  const { plan } = await engine.plan();
  writePlanFile(path, { plan, files: new Map(), providers: new Map() });
  expect(readPlanFile(path).plan.changes[0]!.notes).toEqual(plan.changes[0]!.notes);
  rmSync(folder, { recursive: true });
  const pool = engine.pool();
  await pool.load(plan.changes.map(({ provider }) => provider.source));
  const json = await planJson(plan, engine.context(false, []).configuration, pool);
  expect(json).toMatchObject({ resource_changes: [{ notes: ["Dry run:", "value x"] }] });
});

test("notes promise nothing: others at apply are no error; and the provider is told what its plan remembered", async () => {
  const engine = noting(small('"x"'));
  const { plan } = await engine.plan();
  const again = engine.provider.alter.plan!;
  engine.provider.alter.plan = (answer, call) => ({ ...again(answer, call), notes: [note("otherwise")] });
  const { diagnostics } = await engine.apply(plan);
  expect(diagnostics).toEqual([]);
  const promised = engine.provider.log.calls
    .filter(({ method }) => method === "planResourceChange")
    .map(({ request }) => (request as { readonly promised?: Uint8Array }).promised);
  expect(promised).toEqual([undefined, plan.changes[0]!.plannedPrivate]);
});
