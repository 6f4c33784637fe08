import { describe, expect, test } from "vitest";
import { loadConfiguration } from "../load/load.ts";
import { filesOf } from "../node-files.ts";
import { plainOf, TestEngine } from "../testing/test-engine.ts";
import { relevantAttributes } from "./relevant.ts";
import { whyReports } from "./why.ts";

const header = 'terraform {\n  required_providers {\n    test = { source = "millwright/test" }\n  }\n}\n';
const main = `variable "v" {\n default = "one"\n}\nlocals {\n l = "\${var.v} \${test_thing.a.revision}"\n}\nresource "test_thing" "a" {\n name = "a"\n text = var.v\n}\nresource "test_thing" "b" {\n name = "b"\n text = local.l\n zone = var.v\n}\n`;

async function changed() {
  const engine = new TestEngine(main);
  await engine.apply();
  engine.configure(main.replace('"one"', '"two"'));
  const { plan } = await engine.plan();
  const encoder = new TextEncoder();
  const text = header + main.replace('"one"', '"two"');
  const { value } = loadConfiguration(filesOf(new Map([["main.tf", encoder.encode(text)]])), { tofuFiles: true });
  return { plan, configuration: value };
}

describe("why an object changes", () => {
  test("is told by attribute, with the expression and what that leads to", async () => {
    const { plan, configuration } = await changed();
    const [report] = whyReports(plan, configuration, "test_thing.b");
    const zone = report?.parts.find(({ name }) => name === "zone");
    expect(zone).toMatchObject({ forcesReplacement: true, expression: { text: "var.v" } });
    expect(zone?.origins.map(({ kind, text, variable }) => [kind, text, variable && plainOf(variable.value)])).toEqual([
      ["variable", "var.v", "two"],
    ]);
    const text = report?.parts.find(({ name }) => name === "text");
    const [local] = text?.origins ?? [];
    expect(local).toMatchObject({ kind: "local", text: "local.l" });
    expect(local?.from.map((one) => [one.text, one.planned?.action])).toEqual([
      ["var.v", undefined],
      ["test_thing.a.revision", "update"],
    ]);
  });

  test("is told of nothing that stays as it is", async () => {
    const { plan, configuration } = await changed();
    expect(whyReports(plan, configuration, "test_thing.c")).toEqual([]);
  });
});

test("what changes take values from is relevant, through locals too", async () => {
  const { plan, configuration } = await changed();
  expect(relevantAttributes(configuration, plan)).toEqual([
    { resource: "test_thing.a", attribute: [{ attribute: "revision" }] },
  ]);
});
