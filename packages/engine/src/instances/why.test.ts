import { stringValue } from "@millwright/value/value";
import { expect, test } from "vitest";
import type { WhyOrigin } from "../explain/why.ts";
import { loadConfiguration } from "../load/load.ts";
import { filesOf } from "../node-files.ts";
import { plainOf, TestEngine } from "../testing/test-engine.ts";
import { loadInstances } from "./load.ts";
import { type ExplainedInstance, whyInInstance } from "./why.ts";

const header = 'terraform {\n  required_providers {\n    test = { source = "millwright/test" }\n  }\n}\n';

/** An instance whose one object has the text of its variable, and gives it on. */
async function instance(template: string, before: string, after: string): Promise<ExplainedInstance> {
  const text = (value: string) =>
    `variable "text" {\n default = "${value}"\n}\nresource "test_thing" "a" {\n name = "${template}"\n text = var.text\n}\noutput "text" {\n value = test_thing.a.text\n}\n`;
  const engine = new TestEngine(text(before));
  await engine.apply();
  engine.configure(text(after));
  const { plan } = await engine.plan();
  const files = filesOf(new Map([["main.tf", Buffer.from(header + text(after))]]));
  const { value: configuration } = loadConfiguration(files, { tofuFiles: true });
  const placeOf = (range: WhyOrigin["range"] & {}) => ({ ...range, filename: `${template}/${range.filename}` });
  return { plan, configuration, inputsBefore: new Map([["text", stringValue(before)]]), placeOf };
}

function list(text: string) {
  return loadInstances(filesOf(new Map([["all.instances.hcl", Buffer.from(text)]]))).value;
}

/** An origin and all that it comes from, indented, each with the file that it is in. */
function told({ text, range, planned, from }: WhyOrigin, depth = ""): string[] {
  const line = `${depth}${text}${range ? ` in ${range.filename}` : ""}${planned ? ` ${planned.action}` : ""}`;
  return [line, ...from.flatMap((one) => told(one, `${depth}  `))];
}

const explain = (all: ReturnType<typeof list>, instances: ReadonlyMap<string, ExplainedInstance>) =>
  whyInInstance({ list: all, instances, variables: new Map(), variablesFrom: new Map() }, "c", "test_thing.a");

test("an input is followed to the outputs of other instances, what changes these, and their inputs", async () => {
  const all = list(`locals {
  b = instance.b.text
}
instance "a" { source = "./a" }
instance "b" {
  source = "./b"
  text   = instance.a.text
}
instance "c" {
  source = "./c"
  text   = "\${local.b} \${instance.a.text}"
}`);
  const instances = new Map([
    ["a", await instance("a", "1", "2")],
    ["b", await instance("b", "1", "2")],
    ["c", await instance("c", "1", "2")],
  ]);
  const [report] = explain(all, instances);
  const text = report?.parts.find(({ name }) => name === "text");
  expect(text?.expression?.range.filename).toBe("c/main.tf");
  // What both ways lead to is followed once.
  expect(text?.origins.flatMap((origin) => told(origin))).toEqual([
    "var.text in c/main.tf",
    "  local.b in all.instances.hcl",
    "    instance.b.text in all.instances.hcl update",
    "      b: test_thing.a.text in b/main.tf update",
    "        b: var.text in b/main.tf",
    "          instance.a.text in all.instances.hcl update",
    "            a: test_thing.a.text in a/main.tf update",
    "              a: var.text in a/main.tf",
    "  instance.a.text in all.instances.hcl update",
  ]);
});

test("of an instance that is not planned only the place is known, and of one that stays as it is that it does", async () => {
  const all = list(`instance "a" { source = "./a" }
instance "b" { source = "./b" }
instance "c" {
  source = "./c"
  text   = "\${instance.a.text} \${instance.b.text}"
}`);
  const instances = new Map([
    ["b", await instance("b", "1", "1")],
    ["c", await instance("c", "1", "2")],
  ]);
  const [origin] = explain(all, instances)[0]!.parts.find(({ name }) => name === "text")!.origins;
  expect(told(origin!)).toEqual([
    "var.text in c/main.tf",
    "  instance.a.text in all.instances.hcl",
    "  instance.b.text in all.instances.hcl",
    "    b: test_thing.a.text in b/main.tf",
  ]);
  // What changed it is done already, and the input is not as it was.
  expect(plainOf(origin!.variable!.before!)).toBe("1");
  expect(explain(all, new Map())).toEqual([]);
});
