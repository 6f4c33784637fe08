import { readFileSync, writeFileSync } from "node:fs";
import { systemChance, systemClock } from "@millwright/core/ports";
import { functionsFor } from "@millwright/functions/library";
import { memoryFiles } from "@millwright/functions/memory-files";
import { evaluate } from "@millwright/hcl/evaluate";
import { parseExpression } from "@millwright/hcl/parse";
import { sourceFile } from "@millwright/hcl/source-file";
import type { Config } from "@millwright/provider/testing/drive";
import { Drive } from "@millwright/provider/testing/drive";
import { configureForTest } from "@millwright/provider/testing/contract";
import { impliedType } from "@millwright/provider/implied-type";
import { RealTerraform } from "../test/real-terraform.ts";
import { terraformProvider } from "../src/terraform/provider.ts";
import { encodeJson } from "@millwright/value/json";
import { parsePlain } from "@millwright/value/plain-json";
import type { Value } from "@millwright/value/value";
import { asMap, isWhollyKnown } from "@millwright/value/value";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/* terraform_data beside the one that is built into the real terraform 1.11: the same states, plans and schema. */

/** Arguments as expressions of the language; ones that are left out are not written. */
interface Arguments {
  readonly input?: string;
  readonly triggers_replace?: string;
}

const cases: readonly { readonly name: string; readonly before: Arguments; readonly after: Arguments }[] = [
  { name: "nothing", before: {}, after: {} },
  { name: "string", before: { input: '"a"' }, after: { input: '"b"' } },
  { name: "same", before: { input: '"a"', triggers_replace: "1" }, after: { input: '"a"', triggers_replace: "1" } },
  { name: "number_to_string", before: { input: "1" }, after: { input: '"1"' } },
  { name: "numbers", before: { input: "[0.1, 12345678901234567890123, -0.5e-7, 1e100]" }, after: { input: "[0.1]" } },
  { name: "to_nothing", before: { input: '"a"' }, after: {} },
  { name: "from_nothing", before: {}, after: { input: "true" } },
  {
    name: "object",
    before: { input: '{ a = [1, "x"], b = { c = null } }' },
    after: { input: '{ a = [1, "x"], b = { c = true } }' },
  },
  { name: "list", before: { input: 'tolist(["a"])' }, after: { input: '["a"]' } },
  { name: "set_and_map", before: { input: 'toset(["b", "a"])' }, after: { input: 'tomap({ k = "v" })' } },
  { name: "empty", before: { input: "[]" }, after: { input: "{}" } },
  { name: "text", before: { input: '"<é&\\u2028\\n\\"$${x}>"' }, after: { input: '"e\\u0301"' } },
  { name: "trigger", before: { triggers_replace: '"a"' }, after: { triggers_replace: '"b"' } },
  {
    name: "trigger_and_input",
    before: { input: "1", triggers_replace: "[1]" },
    after: { input: "2", triggers_replace: "[2]" },
  },
  { name: "trigger_goes", before: { input: "1", triggers_replace: '"a"' }, after: { input: "1" } },
  { name: "trigger_type", before: { triggers_replace: "1" }, after: { triggers_replace: '"1"' } },
];

const functions = functionsFor({
  dialect: "terraform",
  files: memoryFiles({}),
  baseDir: ".",
  clock: systemClock,
  chance: systemChance,
  impure: "now",
  use: "configuration",
});
const real = new RealTerraform();
let drive: Drive;

beforeAll(async () => {
  const provider = terraformProvider().start();
  await configureForTest(provider);
  drive = await Drive.of(provider, "terraform_data");
  real.write("main.tf", "");
  real.run(["init"]);
});
afterAll(() => real.remove());

test("the schema is the one that terraform shows", () => {
  real.write("main.tf", 'resource "terraform_data" "x" {}\n');
  const shown = JSON.parse(real.run(["providers", "schema", "-json"]).output) as {
    provider_schemas: Record<string, unknown>;
  };
  const facts = withoutDescriptions({
    ephemeral_resource_schemas: {},
    ...(shown.provider_schemas["terraform.io/builtin/terraform"] as object),
  });
  const golden = new URL("../testdata/schemas/terraform.json", import.meta.url);
  if (process.env.UPDATE) writeFileSync(golden, `${JSON.stringify(facts, null, 1)}\n`);
  expect(JSON.parse(readFileSync(golden, "utf8"))).toMatchObject(facts as object);
});

describe("states and plans", () => {
  const ours = new Map<string, { before: Value; after: Value }>();
  let states: { before: Map<string, Attributes>; after: Map<string, Attributes> };
  let changes: Map<string, Change>;

  beforeAll(() => {
    const before = applied("before");
    real.run(["plan", "-out=plan"]);
    const plan = JSON.parse(real.run(["show", "-json", "plan"]).output) as {
      resource_changes: readonly { name: string; change: Change }[];
    };
    changes = new Map(plan.resource_changes.map(({ name, change }) => [name, change]));
    states = { before, after: applied("after") };
  });

  /** Applies all cases at once; the plan of the change is made between the two. */
  function applied(step: "before" | "after"): Map<string, Attributes> {
    real.write("main.tf", configuration(step));
    real.run(["apply", "-auto-approve"]);
    const attributes = attributesIn(real.readJson("terraform.tfstate"));
    real.write("main.tf", configuration("after"));
    return attributes;
  }

  test.each(cases)("$name", async ({ name, before, after }) => {
    const first = await drive.apply(evaluated(before));
    expect(recorded(first.state)).toEqual(withoutId(states.before.get(name)!));

    const planned = await drive.plan(evaluated(after), first.state);
    const change = changes.get(name)!;
    const isReplaced = planned.requiresReplace.length > 0;
    const isSame =
      encodable(planned.planned) && encodeJson(planned.planned, type()) === encodeJson(first.state, type());
    expect(isReplaced ? ["delete", "create"] : isSame ? ["no-op"] : ["update"]).toEqual(change.actions);
    if (!isReplaced)
      expect(isWhollyKnown(asMap(planned.planned).get("output")!)).toBe(change.after_unknown.output !== true);

    const second = isReplaced ? await drive.apply(evaluated(after)) : await drive.apply(evaluated(after), first.state);
    expect(recorded(second.state)).toEqual(withoutId(states.after.get(name)!));
    ours.set(name, { before: first.state, after: second.state });
  });

  test("the real one finds nothing to do in states that ours wrote", () => {
    const state = real.readJson("terraform.tfstate") as State;
    for (const resource of state.resources) {
      resource.instances[0]!.attributes = parsePlain(encodeJson(ours.get(resource.name)!.after, type())) as Attributes;
    }
    real.write("terraform.tfstate", JSON.stringify({ ...state, serial: state.serial + 1 }));
    expect(real.run(["plan", "-detailed-exitcode"], [0, 2])).toMatchObject({ code: 0 });
  });

  test.each(cases)(
    "ours finds nothing to do in the state of $name that the real one wrote",
    async ({ name, after }) => {
      const { state, diagnostics } = await drive.upgrade(0, states.after.get(name)!);
      expect(diagnostics).toEqual([]);
      const { planned, requiresReplace } = await drive.plan(evaluated(after), state);
      expect(requiresReplace).toEqual([]);
      expect(encodeJson(planned, type())).toEqual(encodeJson(state, type()));
    },
  );
});

type Attributes = Readonly<Record<string, unknown>>;
interface Change {
  readonly actions: readonly string[];
  readonly after_unknown: Readonly<Record<string, unknown>>;
}
interface State {
  readonly serial: number;
  readonly resources: { readonly name: string; readonly instances: { attributes: Attributes }[] }[];
}

function configuration(step: "before" | "after"): string {
  return cases
    .map(({ name, [step]: args }) => {
      const lines = Object.entries(args).map(([argument, expression]) => `  ${argument} = ${expression}\n`);
      return `resource "terraform_data" "${name}" {\n${lines.join("")}}\n`;
    })
    .join("");
}

function attributesIn(state: unknown): Map<string, Attributes> {
  return new Map((state as State).resources.map(({ name, instances }) => [name, instances[0]!.attributes]));
}

function evaluated(args: Arguments): Config {
  return Object.fromEntries(
    Object.entries(args).map(([name, text]) => {
      const { value: expression } = parseExpression(sourceFile("case", text as string));
      return [name, evaluate(expression, { functions }).value];
    }),
  );
}

function type() {
  return impliedType(drive.block);
}

function encodable(value: Value): boolean {
  return isWhollyKnown(value);
}

/** What a state file would hold, but for the id, which is another each time. */
function recorded(state: Value): Attributes {
  return withoutId(parsePlain(encodeJson(state, type())) as Attributes);
}

function withoutId({ id, ...rest }: Attributes): Attributes {
  expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  return rest;
}

function withoutDescriptions(shown: unknown): unknown {
  if (typeof shown !== "object" || shown === null) return shown;
  if (Array.isArray(shown)) return shown.map(withoutDescriptions);
  const told = new Set(["description", "description_kind", "summary"]);
  const entries = Object.entries(shown).filter(([name, value]) => !(told.has(name) && typeof value === "string"));
  return Object.fromEntries(entries.map(([name, value]) => [name, withoutDescriptions(value)]));
}
