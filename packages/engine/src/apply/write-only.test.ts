import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { asMap, type Value } from "@millwright/value/value";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { JournalWriter, journalPath } from "../backend/journal.ts";
import { planJson } from "../formats/plan-json.ts";
import { readPlanFile, writePlanFile } from "../planfile/plan-file.ts";
import { writeStateFile } from "../statefile/write.ts";
import { actionsOf, messages, plainOf, TestEngine } from "../testing/test-engine.ts";
import type { VariableSource } from "../variables.ts";

/* A write-only argument reaches the provider at apply, and is in nothing that is kept or shown. */

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "write-only-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const secret = "s3cret-of-the-test";
const given = (text: string): readonly VariableSource[] => [{ kind: "command-line", name: "password", text }];
const thing = (version: number, kind = "ephemeral") => `variable "password" {
  ${kind} = true
}
resource "test_thing" "a" {
  name             = "a"
  password_wo      = var.password
  password_version = ${version}
  one {
    label  = "one"
    key_wo = "one \${var.password}"
  }
  row {
    label  = "row"
    key_wo = "row \${var.password}"
  }
}
`;

/** All texts of a plan file, those in Base64 as what they say. */
function clearText(json: unknown): string {
  if (typeof json === "string") return `${json} ${Buffer.from(json, "base64").toString("latin1")}\n`;
  return typeof json === "object" && json !== null ? Object.values(json).map(clearText).join("") : "";
}

/** What each apply was given, by the paths of the write-only arguments. */
function received(engine: TestEngine): unknown[] {
  return engine.provider.log.calls.flatMap(({ method, request }) => {
    if (method !== "applyResourceChange") return [];
    const config = asMap((request as { readonly config: Value }).config);
    const { password_wo, one, row } = Object.fromEntries([...config].map(([name, value]) => [name, plainOf(value)]));
    return [[password_wo, (one as { key_wo: string }).key_wo, (row as { key_wo: string }[])[0]!.key_wo]];
  });
}

describe.each(["ephemeral", "sensitive"])("a write-only argument with a value that is %s", (kind) => {
  test("reaches the provider, and is in no plan, state, journal or JSON", async () => {
    const engine = new TestEngine(thing(1, kind));
    const made = await engine.plan({ variables: given(secret) });
    expect(messages(made.diagnostics)).toEqual([]);
    const path = join(folder, "tfplan");
    const files = new Map([["main.tf", Buffer.from(thing(1, kind))]]);
    writePlanFile(path, { plan: made.plan, files, providers: new Map() });
    const saved = readPlanFile(path).plan;
    const statePath = join(folder, "terraform.tfstate");
    const header = { lineage: "l", serial: 1, pid: 1, processStart: "1", started: "2026-01-01T00:00:00Z" };
    const journal = new JournalWriter(statePath, header, []);
    const { diagnostics } = await engine.apply(saved, { recorder: journal, variables: given(secret) });
    expect(messages(diagnostics)).toEqual([]);
    expect(received(engine)).toEqual([[secret, `one ${secret}`, `row ${secret}`]]);

    const pool = engine.pool();
    await pool.load(saved.changes.map((change) => change.provider.source));
    const { plan } = made;
    const kept = {
      changes: JSON.stringify(plan.changes.map(({ before, after }) => [plainOf(before), plainOf(after)])),
      state: writeStateFile({ lineage: "l", serial: 1, state: engine.state }),
      journal: readFileSync(journalPath(statePath), "utf8"),
      events: JSON.stringify(engine.events),
      json: JSON.stringify(await planJson(plan, engine.context(false, given(secret)).configuration, pool)),
      file: clearText(JSON.parse(gunzipSync(readFileSync(path)).toString())),
    };
    // A plan holds the values of the variables that it was made with, but for ephemeral ones.
    const clear = kind === "sensitive" ? ["json", "file"] : [];
    expect(Object.entries(kept).flatMap(([name, text]) => (text.includes(secret) ? [name] : []))).toEqual(clear);
    for (const text of [kept.json, kept.file]) expect(text).toContain("password_version");
  });
});

test("another value alone changes nothing; another version sends it again", async () => {
  const engine = new TestEngine(thing(1));
  await engine.apply(undefined, { variables: given("first") });
  expect(actionsOf((await engine.plan({ variables: given("second") })).plan.changes)).toEqual([]);
  engine.configure(thing(2));
  const { plan } = await engine.plan({ variables: given("third") });
  expect(actionsOf(plan.changes)).toEqual(["update test_thing.a"]);
  engine.provider.log.clear();
  await engine.apply(plan, { variables: given("third") });
  expect(received(engine)).toEqual([["third", "one third", "row third"]]);
});

test.each([
  { name: "an argument", body: "text = var.password", want: /not valid for "text"/ },
  { name: "one inside a block", body: "one {\n label = var.password\n }", want: /not valid for "one.label"/ },
  {
    name: "one inside the second block",
    body: 'row {\n label = "x"\n }\n row {\n label = var.password\n key_wo = var.password\n }',
    want: /not valid for "row\[1\].label"/,
  },
  {
    name: "one inside a nested attribute",
    body: "endpoint = { label = var.password }",
    want: /not valid for "endpoint.label"/,
  },
  { name: "a block of a set", body: "tag {\n label = var.password\n }", want: /not valid for "tag"/ },
])("an ephemeral value for $name that is kept is refused", async ({ body, want }) => {
  const engine = new TestEngine(
    `variable "password" {\n ephemeral = true\n}\nresource "test_thing" "a" {\n name = "a"\n ${body}\n}\n`,
  );
  const { plan, diagnostics } = await engine.plan({ variables: given(secret) });
  expect(plan.errored).toBe(true);
  expect(messages(diagnostics)).toEqual([expect.stringMatching(want)]);
  expect(messages(diagnostics).join()).not.toContain(secret);
});
