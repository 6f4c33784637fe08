import { dynamicType } from "@millwright/value/types";
import { hasMark, isKnown, sensitive, stringValue } from "@millwright/value/value";
import { afterEach, describe, expect, test } from "vitest";
import { toPlainJson } from "../test/plain.ts";
import { TestFolder } from "../test/test-folder.ts";
import { derivation } from "./host/derive.ts";
import { restoreStacks } from "./stacks.ts";

const folders: TestFolder[] = [];
afterEach(() => folders.splice(0).forEach((folder) => folder.remove()));

function folderWith(files: Readonly<Record<string, string>>): TestFolder {
  const folder = new TestFolder(files);
  folders.push(folder);
  return folder;
}

async function outputsOf(files: Readonly<Record<string, string>>): Promise<Record<string, unknown>> {
  const { state, diagnostics } = await folderWith(files).apply("at once");
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return Object.fromEntries([...state.outputs].map(([name, { value }]) => [name, toPlainJson(value)]));
}

const stack = (text: string) => ({ "main.stack.ts": text });

describe("HCL and TypeScript in one folder", () => {
  test("a stack refers to what a .tf file declares, and the reverse", async () => {
    const outputs = await outputsOf({
      "main.tf": `locals { region = "ottawa" }
resource "terraform_data" "native" { input = terraform_data.ours.output }
output "native" { value = terraform_data.native.output }
output "named" { value = local.named }`,
      "main.stack.ts": `import { local, ref, resource } from "millwright";
const ours = resource("terraform_data", "ours", { input: \`in-\${ref("local.region")}\` });
local("named", ours.output);`,
    });
    expect(outputs).toEqual({ native: "in-ottawa", named: "in-ottawa" });
  });

  test("modules are functions, and HCL modules are called too", async () => {
    const outputs = await outputsOf({
      "net/main.tf":
        'variable "name" {}\nresource "terraform_data" "n" { input = var.name }\noutput "upper" { value = upper(terraform_data.n.output) }',
      "lib/service.ts": `import { resource } from "millwright";
export function service(name: string, port: number) {
  return resource("terraform_data", \`service_\${name}\`, { input: { name, port } });
}`,
      "main.stack.ts": `import { module, output } from "millwright";
import { service } from "./lib/service.ts";
const web = service("web", 80);
const net = module("net", "./net", { name: web.output.name });
output("upper", net.upper);
output("port", service("db", 5432).output.port);`,
    });
    expect(outputs).toEqual({ upper: "WEB", port: 5432 });
  });

  test("two stacks share what they import", async () => {
    const outputs = await outputsOf({
      "shared.ts":
        'import { resource } from "millwright";\nexport const pet = resource("random_pet", "p", { length: 1 });',
      "a.stack.ts": 'import { output } from "millwright";\nimport { pet } from "./shared.ts";\noutput("a", pet.id);',
      "b.stack.ts": 'import { output } from "millwright";\nimport { pet } from "./shared.ts";\noutput("b", pet.id);',
    });
    expect(outputs.a).toBe(outputs.b);
  });

  test("libraries of the folder's own node_modules are bundled", async () => {
    const outputs = await outputsOf({
      "node_modules/words/package.json": '{"name": "words", "version": "1.0.0", "main": "index.js"}',
      "node_modules/words/index.js": "exports.shout = (text) => text.toUpperCase();",
      "main.stack.ts":
        'import { output } from "millwright";\nimport { shout } from "words";\noutput("x", shout("hey"));',
    });
    expect(outputs).toEqual({ x: "HEY" });
  });
});

describe("what a stack can say", () => {
  test("values of every kind", async () => {
    const value = {
      text: 'a "b" ${c} %{ d }\nü',
      number: 1.5,
      large: 2 ** 53,
      no: false,
      nothing: null,
      list: [1, ["x"]],
      map: { "a b": {} },
    };
    const outputs = await outputsOf(
      stack(
        `import { output } from "millwright";\noutput("x", ${JSON.stringify(value)});\noutput("big", 123456789012345678901234567890n);`,
      ),
    );
    expect(outputs).toEqual({ x: value, big: 123456789012345678901234567890 });
  });

  test("variables with a type, a default and a rule", async () => {
    const text = (size: number) =>
      stack(`import { derive, output, variable } from "millwright";
const ports = variable("ports", {
  type: "list(number)",
  default: [${size}],
  validation: (value) => ({ condition: derive(value, (all: any) => all[0] < 100), error_message: "Ports are below 100." }),
});
output("port", ports[0]);`);
    expect(await outputsOf(text(80))).toEqual({ port: 80 });
    const { diagnostics } = await folderWith(text(180)).plan();
    expect(diagnostics.map(({ detail }) => detail).join()).toContain("Ports are below 100.");
  });

  test("count, for_each, and instances by index and key", async () => {
    const outputs = await outputsOf(
      stack(`import { output, resource } from "millwright";
const many = resource("terraform_data", "many", ({ index }) => ({ input: \`n\${index}\` }), { count: 3 });
const each = resource("terraform_data", "each", ({ key, value }) => ({ input: \`\${key}=\${value}\` }), { for_each: { a: 1, b: 2 } });
const none = resource("terraform_data", "none", { input: 1 }, { count: 0 });
output("second", many[1].output);
output("b", each.b.output);
output("none", none);`),
    );
    expect(outputs).toEqual({ second: "n1", b: "b=2", none: [] });
  });

  test("nested blocks: written out, and one for each element of a collection", async () => {
    const planned = await folderWith(
      stack(`import { blocks, output, resource, variable } from "millwright";
const names = variable("names", { type: "list(string)", default: ["x", "y"] });
resource("consul_keys", "one", { key: { path: "a", value: "1" } });
resource("consul_keys", "many", { key: [{ path: "a", value: "1" }, { path: "b", value: "2" }] });
resource("consul_keys", "dynamic", { key: blocks(names, ({ key, value }) => ({ path: \`p/\${value}\`, value: \`\${key}\` })) });`),
    ).plan();
    expect(planned.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    const keys = Object.fromEntries(
      planned.plan!.changes.map(({ address, after }) => {
        const { key } = toPlainJson(after) as {
          readonly key: readonly { readonly path: string; readonly value: string }[];
        };
        return [address.text, key.map(({ path, value }) => `${path}=${value}`).sort()];
      }),
    );
    expect(keys).toEqual({
      "consul_keys.one": ["a=1"],
      "consul_keys.many": ["a=1", "b=2"],
      "consul_keys.dynamic": ["p/x=0", "p/y=1"],
    });
  });

  test("lifecycle rules, depends_on and provider configurations", async () => {
    const folder = folderWith(
      stack(`import { derive, output, provider, resource, variable } from "millwright";
const size = variable("size", { default: 1 });
const east = provider("consul", { address: "127.0.0.1:1" }, { alias: "east" });
const a = resource("terraform_data", "a", { input: "one" }, {
  lifecycle: {
    prevent_destroy: true,
    create_before_destroy: true,
    ignore_changes: ["input"],
    precondition: { condition: derive(size, (n) => n > 0), error_message: "no" },
  },
});
resource("terraform_data", "b", { input: 1 }, { depends_on: [a], lifecycle: { replace_triggered_by: [a] } });
resource("consul_keys", "k", { key: { path: "a", value: "1" } }, { provider: east });`),
    );
    const { plan, diagnostics } = await folder.plan();
    expect(diagnostics).toEqual([]);
    const byAddress = new Map(plan!.changes.map((change) => [change.address.text, change]));
    expect(byAddress.get("terraform_data.a")?.createBeforeDestroy).toBe(true);
    expect(byAddress.get("terraform_data.b")?.dependencies).toEqual(["terraform_data.a"]);
    expect(byAddress.get("consul_keys.k")?.provider.alias).toBe("east");
  });

  test("functions of the language, and data sources", async () => {
    const outputs = await outputsOf({
      "hello.txt": "hello",
      "main.stack.ts": `import { call, data, output, ref, resource } from "millwright";
const made = resource("terraform_data", "made", { input: call("upper", call("file", "hello.txt")) });
const file = data("local_file", "f", { filename: \`\${ref("path.cwd")}/hello.txt\` }, { depends_on: [made] });
output("upper", made.output);
output("content", file.content);`,
    });
    expect(outputs).toEqual({ upper: "HELLO", content: "hello" });
  });

  test("console.log writes notes, with references in words", async () => {
    const folder = folderWith(
      stack(
        'import { resource } from "millwright";\nconst p = resource("random_pet", "p", {});\nconsole.log("name", p.id, `x-${p.id}`, { a: [1] });',
      ),
    );
    const { notes, diagnostics } = await folder.stacks();
    expect(diagnostics).toEqual([]);
    expect(notes).toEqual(["name ${random_pet.p.id} x-${random_pet.p.id} { a: [1] }"]);
  });
});

describe("derive", () => {
  const secretStack = (body: string) =>
    stack(`import { derive, output, variable } from "millwright";
const secret = variable("secret", { default: "hunter2", sensitive: true });
output("x", derive(secret, (text) => ${body}), { sensitive: true });`);

  test("what is computed from a secret is one", async () => {
    const { plan } = await folderWith(secretStack("text.length")).plan();
    const after = plan!.outputs.get("x")!.after;
    expect(isKnown(after) && hasMark(after, sensitive)).toBe(true);
    expect(toPlainJson(after)).toBe(7);
  });

  test("an error of its function does not show the secret", async () => {
    const { diagnostics } = await folderWith(secretStack("{ throw new Error(text); }")).plan();
    expect(diagnostics[0]?.detail).toContain("not shown because what it was given is secret");
    expect(JSON.stringify(diagnostics)).not.toContain("hunter2");
  });

  test("is not known to .tf files", async () => {
    const { diagnostics } = await folderWith({
      ...stack('import { derive, output } from "millwright";\noutput("x", derive(1, (n) => n));'),
      "main.tf": 'output "y" { value = derive(0, 1) }',
    }).plan();
    expect(diagnostics.map(({ severity, subject }) => [severity, subject?.filename])).toContainEqual([
      "error",
      "main.tf",
    ]);
  });

  // The stack is a user's text, with the `as any` of users.
  test("gets lists, maps, nulls and numbers as JavaScript has them", async () => {
    const outputs = await outputsOf(
      stack(`import { derive, output, variable } from "millwright";
const given = variable("given", { type: "object({ list = set(string), map = map(number), none = string })" as string, default: { list: ["b", "a"], map: { x: 0.1 }, none: null } as any });
output("x", derive(given, (v: any) => [Array.isArray(v.list), v.list, v.map.x + 1, v.none === null, v.map instanceof Object]));`),
    );
    expect(outputs.x).toEqual([true, ["a", "b"], 1.1, true, true]);
  });
});

describe("a saved plan", () => {
  const text = `import { derive, output, resource } from "millwright";
const p = resource("random_pet", "p", { length: 1 });
output("x", derive(p.id, (id) => id + "!"));`;

  test("needs no source to be applied", async () => {
    const folder = folderWith(stack(text));
    const { saved } = await folder.stacks();
    const { blocks, functions } = restoreStacks(saved);
    expect(blocks.map(({ type, labels }) => [type, ...labels])).toEqual([
      ["resource", "random_pet", "p"],
      ["output", "x"],
    ]);
    expect(functions?.get("derive")).toBeDefined();
  });

  test("refuses to compute where the program builds another graph when it runs again", async () => {
    const { saved } = await folderWith(stack(text)).stacks();
    const other = JSON.parse(saved) as { code: string };
    other.code = other.code.replace('"p"', '"q"');
    const derive = restoreStacks(JSON.stringify(other)).functions!.get("derive")!;
    expect(() => derive.call([derivation(0), stringValue("a")], dynamicType)).toThrow(/builds another graph/);
  });
});
