import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SourceRange } from "@millwright/core/source";
import { afterEach, expect, test } from "vitest";
import { TestFolder } from "./test-folder.ts";

/* The stacks are texts of users. `as any` in them is what somebody writes to get past the types: that is what must be caught. */

interface Case {
  readonly name: string;
  /** `main.stack.ts`, or further files by name. */
  readonly files: string | Readonly<Record<string, string>>;
  readonly says: RegExp;
  /** The file that is named (main.stack.ts where left out), the line, and what is underlined there. */
  readonly file?: string;
  readonly line: number;
  readonly marks: string;
}

const pet = 'import * as m from "millwright";\nconst pet = m.resource("random_pet", "p", {});\n';

const cases: readonly Case[] = [
  // The program itself.
  { name: "a syntax error", files: "const a = ;", says: /Unexpected ";"/, line: 1, marks: ";" },
  {
    name: "an import that is not there",
    files: 'import { x } from "./nope.ts";\nx();',
    says: /Could not resolve/,
    line: 1,
    marks: '"./nope.ts"',
  },
  {
    name: "a name that millwright has not",
    files: 'import { resourc } from "millwright";\nresourc();',
    says: /No matching export.*resourc/,
    line: 1,
    marks: "resourc",
  },
  {
    name: "an error that is thrown",
    files: 'const n: number = 1;\n\nthrow new Error("no luck");',
    says: /Stack failed.*Error: no luck/,
    line: 3,
    marks: 'new Error("no luck")',
  },
  {
    name: "an error of JavaScript",
    files: "const a: any = undefined;\n  a.b.c;",
    says: /TypeError: Cannot read properties of undefined/,
    line: 2,
    marks: "b.c",
  },
  {
    name: "an error that a library throws names the stack's own line",
    files: {
      "main.stack.ts": 'import { broken } from "lib";\nbroken(1);',
      "node_modules/lib/package.json": '{"name": "lib", "main": "index.js"}',
      "node_modules/lib/index.js": 'exports.broken = () => { throw new RangeError("too far"); };',
    },
    says: /RangeError: too far/,
    line: 2,
    marks: "broken(1)",
  },
  {
    name: "an error in a file that the stack imports",
    files: {
      "main.stack.ts": 'import { f } from "./lib/f.ts";\nf();',
      "lib/f.ts": 'export function f(): void {\n  throw new Error("deep");\n}',
    },
    says: /Error: deep/,
    file: "lib/f.ts",
    line: 2,
    marks: 'new Error("deep")',
  },
  // What would make another plan each time.
  {
    name: "the clock by Date.now",
    files: "const now = Date.now();",
    says: /cannot read the clock/,
    line: 1,
    marks: "Date.now()",
  },
  {
    name: "the clock by new Date",
    files: "export const now = new Date().toISOString();",
    says: /cannot read the clock/,
    line: 1,
    marks: "new Date().toISOString()",
  },
  {
    name: "the clock by performance",
    files: "performance.now();",
    says: /cannot read the clock \(performance\)/,
    line: 1,
    marks: "performance.now()",
  },
  {
    name: "the time zone",
    files: "new Date(0).getHours();",
    says: /time zone/,
    line: 1,
    marks: "new Date(0).getHours()",
  },
  { name: "the language", files: "(1.5).toLocaleString();", says: /this machine's language/, line: 1, marks: "1.5" },
  { name: "chance", files: "const x =\n  Math.random();", says: /cannot read chance/, line: 2, marks: "Math.random()" },
  {
    name: "chance by crypto",
    files: "crypto.randomUUID();",
    says: /cannot read chance \(crypto\)/,
    line: 1,
    marks: "crypto.randomUUID()",
  },
  {
    name: "the environment",
    files: 'export const home = process.env["HOME"];',
    says: /cannot read the environment \(process\)/,
    line: 1,
    marks: 'process.env["HOME"]',
  },
  {
    name: "the network",
    files: 'fetch("http://x");',
    says: /cannot read the network \(fetch\)/,
    line: 1,
    marks: 'fetch("http://x")',
  },
  {
    name: "files",
    files: 'import { readFileSync } from "node:fs";\nreadFileSync("x");',
    says: /cannot import "node:fs"/,
    line: 1,
    marks: '"node:fs"',
  },
  {
    name: "files, by the old name of the module",
    files: 'import { readFileSync } from "fs";\nreadFileSync("x");',
    says: /cannot import "fs"/,
    line: 1,
    marks: '"fs"',
  },
  {
    name: "the place of the folder",
    files: "export const here = import.meta.url;",
    says: /import\.meta/,
    line: 1,
    marks: "import.meta",
  },
  {
    name: "code that is made while running",
    files: 'eval("1");',
    says: /Code generation from strings disallowed/,
    line: 1,
    marks: 'eval("1")',
  },
  { name: "waiting", files: "await Promise.resolve(1);", says: /[Tt]op-level await/, line: 1, marks: "await" },
  {
    name: "chance that is caught",
    files: "let x = 0;\ntry { x = Math.random(); } catch { x = 1; }\nexport { x };",
    says: /cannot read chance/,
    line: 2,
    marks: "Math.random()",
  },
  // References.
  {
    name: "calling",
    files: `${pet}pet();`,
    says: /random_pet\.p is a reference.*cannot be called/,
    line: 3,
    marks: "pet()",
  },
  {
    name: "adding",
    files: `${pet}export const x = pet.id + "-a";`,
    says: /calculated with, compared, or joined with \+/,
    line: 3,
    marks: 'id + "-a"',
  },
  {
    name: "multiplying",
    files: `${pet}export const x = pet.length * 2;`,
    says: /calculated with/,
    line: 3,
    marks: "pet.length",
  },
  {
    name: "less than",
    files: `${pet}export const x = pet.length < 2;`,
    says: /cannot be compared/,
    line: 3,
    marks: "pet.length",
  },
  {
    name: "equal to another reference",
    files: `${pet}export const x = pet.id === pet.id;`,
    says: /cannot be compared/,
    line: 3,
    marks: "pet.id",
  },
  {
    name: "a condition",
    files: `${pet}if (pet.id) m.output("x", 1);`,
    says: /cannot be a condition/,
    line: 3,
    marks: "pet.id",
  },
  { name: "not", files: `${pet}export const x = !pet.id;`, says: /cannot be a condition/, line: 3, marks: "pet.id" },
  {
    name: "or",
    files: `${pet}export const x = pet.id || "a";`,
    says: /cannot be a condition/,
    line: 3,
    marks: "pet.id",
  },
  {
    name: "nothing or else",
    files: `${pet}export const x = pet.id ?? "a";`,
    says: /cannot be a condition/,
    line: 3,
    marks: "pet.id",
  },
  {
    name: "switch",
    files: `${pet}switch (pet.id) { case "a": m.output("x", 1); }`,
    says: /cannot be compared/,
    line: 3,
    marks: "pet.id",
  },
  { name: "typeof", files: `${pet}m.output("x", typeof pet);`, says: /asked for its type/, line: 3, marks: "pet" },
  { name: "in", files: `${pet}export const x = "id" in pet;`, says: /searched with in/, line: 3, marks: '"id" in pet' },
  {
    name: "instanceof",
    files: `${pet}export const x = pet instanceof Array;`,
    says: /checked for what it is/,
    line: 3,
    marks: "pet instanceof Array",
  },
  {
    name: "Array.isArray",
    files: `${pet}export const x = Array.isArray(pet);`,
    says: /asked whether it is a list/,
    line: 3,
    marks: "Array.isArray(pet)",
  },
  {
    name: "spreading into an object",
    files: `${pet}export const x = { ...pet };`,
    says: /listed or spread/,
    line: 3,
    marks: "{ ...pet }",
  },
  {
    name: "spreading into a list",
    files: `${pet}export const x = [...pet];`,
    says: /gone through or spread/,
    line: 3,
    marks: "pet",
  },
  {
    name: "going through",
    files: `${pet}for (const x of pet) m.output(x, 1);`,
    says: /gone through or spread/,
    line: 3,
    marks: "pet",
  },
  { name: "keys", files: `${pet}Object.keys(pet);`, says: /listed or spread/, line: 3, marks: "Object.keys(pet)" },
  { name: "assigning", files: `${pet}pet.id = "x";`, says: /assigned to/, line: 3, marks: 'id = "x"' },
  {
    name: "JSON.stringify",
    files: `${pet}JSON.stringify(pet);`,
    says: /written as JSON here/,
    line: 3,
    marks: "JSON.stringify(pet)",
  },
  {
    name: "the length of a text",
    files: `${pet}export const x = \`\${pet.id}\`.length;`,
    says: /cannot be measured/,
    line: 3,
    marks: "`${pet.id}`.length",
  },
  {
    name: "a text in a condition",
    files: `${pet}export const x = \`\${pet.id}\` ? 1 : 2;`,
    says: /cannot be a condition/,
    line: 3,
    marks: "`${pet.id}`",
  },
  {
    name: "a text that is never used",
    files: `${pet}export const x = \`\${pet.id}\`;`,
    says: /went nowhere.*random_pet\.p\.id/,
    line: 3,
    marks: "id",
  },
  {
    name: "a text matched",
    files: `${pet}export const x = /a/.test(\`\${pet.id}\`);`,
    says: /looked at or changed by a regular expression/,
    line: 3,
    marks: "/a/.test(`${pet.id}`)",
  },
  {
    name: "Number",
    files: `${pet}export const x = Number(pet.id);`,
    says: /turned into something else by Number/,
    line: 3,
    marks: "Number(pet.id)",
  },
  {
    name: "a filter by a reference",
    files: `${pet}m.output("x", [1].filter(() => pet.id));`,
    says: /cannot be what filter decides by/,
    line: 3,
    marks: "[1].filter(() => pet.id)",
  },
  {
    name: "one character of a text",
    files: `${pet}m.output("x", \`\${pet.id}\`[0] === "a");`,
    says: /cannot be taken apart/,
    line: 3,
    marks: "`${pet.id}`[0]",
  },
  {
    name: "the length of a text by destructuring",
    files: `${pet}const { length } = \`\${pet.id}\`;\nm.output("x", length);`,
    says: /cannot be taken apart/,
    line: 3,
    marks: "`${pet.id}`",
  },
  {
    name: "a table taken apart by a reference",
    files: `${pet}const { [pet.id as any]: size = 3 } = { a: 1 } as any;\nm.output("x", size);`,
    says: /went nowhere.*used as a key/,
    line: 3,
    marks: "pet.id",
  },
  {
    name: "an element of a list by a reference",
    files: `${pet}m.output("x", ["a", "b"][pet.length] ?? "c");`,
    says: /went nowhere.*used as a key/,
    line: 3,
    marks: "pet.length",
  },
  {
    name: "async",
    files: `${pet}async function f() { m.output("x", 1); }\nf();`,
    says: /Nothing to wait for/,
    line: 3,
    marks: 'async function f() { m.output("x", 1); }',
  },
  // The configuration.
  {
    name: "a misspelt attribute",
    files:
      'import { resource } from "millwright";\nresource("random_pet", "p", {\n  prefix: "a",\n  seperator: "_",\n} as never);',
    says: /named "seperator" is not expected here\. Did you mean "separator"\?/,
    line: 4,
    marks: "seperator",
  },
  {
    name: "a misspelt attribute of a nested block",
    files:
      'import { resource } from "millwright";\nresource("consul_keys", "k", {\n  key: [{ path: "a", valu: "b" }],\n} as never);',
    says: /named "valu" is not expected here\. Did you mean "value"\?/,
    line: 3,
    marks: "valu",
  },
  {
    name: "a wrong type",
    files: 'import { resource } from "millwright";\nresource("random_pet", "p", {\n  length: ["two"],\n} as never);',
    says: /number required/,
    line: 3,
    marks: '["two"]',
  },
  {
    name: "a wrong type through a variable",
    files:
      'import { resource, variable } from "millwright";\nconst n = variable("n", { default: "two" });\nresource("random_pet", "p", {\n  length: n,\n} as never);',
    says: /a number is required/,
    line: 4,
    marks: "n",
  },
  {
    name: "a missing argument",
    files: 'import { resource } from "millwright";\nresource("random_integer", "n", { min: 1 } as never);',
    says: /"max" is required/,
    line: 2,
    marks: 'resource("random_integer", "n"',
  },
  {
    name: "a misspelt resource type",
    files: 'import { resource } from "millwright";\nresource("random_pett", "p", {});',
    says: /does not support resource type "random_pett".*Did you mean "random_pet"/,
    line: 2,
    marks: '"random_pett"',
  },
  {
    name: "a misspelt attribute of a reference",
    files: `${pet}m.output("x", {\n  name: pet.idd,\n});`,
    says: /no argument, nested block, or exported attribute named "idd"\. Did you mean "id"/,
    line: 4,
    marks: "pet.idd",
  },
  {
    name: "a reference to something undeclared",
    files: 'import { output, ref } from "millwright";\noutput("x", ref("random_pet.nope.id"));',
    says: /"random_pet" "nope" has not been declared/,
    line: 2,
    marks: 'ref("random_pet.nope.id")',
  },
  {
    name: "two resources of one name",
    files: `${pet}m.resource("random_pet", "p", {});`,
    says: /Duplicate resource.*already declared at main\.stack\.ts:2/,
    line: 3,
    marks: 'resource("random_pet", "p"',
  },
  {
    name: "a resource that a .tf file declares too",
    files: { "main.stack.ts": pet, "main.tf": 'resource "random_pet" "p" {}\n' },
    says: /already declared at main\.tf:1/,
    line: 2,
    marks: 'resource("random_pet", "p"',
  },
  {
    name: "a wrong name",
    files: 'import { resource } from "millwright";\nresource("random_pet", "a b", {});',
    says: /Invalid resource name/,
    line: 2,
    marks: '"a b"',
  },
  {
    name: "a wrong type constraint",
    files: 'import { variable } from "millwright";\nvariable("v", { type: "strin" });',
    says: /type/i,
    line: 2,
    marks: "strin",
  },
  {
    name: "undefined where a value is needed",
    files: 'import { output } from "millwright";\nconst table: Record<string, string> = {};\noutput("x", table["a"]);',
    says: /The value of output x is undefined/,
    line: 3,
    marks: 'output("x", table["a"])',
  },
  {
    name: "a number that is none",
    files: 'import { output } from "millwright";\noutput("x", { port: Number("x") });',
    says: /The value of output x\.port is NaN/,
    line: 2,
    marks: 'output("x", { port: Number("x") })',
  },
  {
    name: "an object of a class",
    files: 'import { output } from "millwright";\noutput("x", new Map());',
    says: /is a Map\. Only plain objects/,
    line: 2,
    marks: 'output("x", new Map())',
  },
  {
    name: "a function of derive that throws",
    files:
      'import { derive, output } from "millwright";\noutput("x", derive("a", (a: string) => {\n  throw new Error(`no ${a}`);\n}));',
    says: /Call to function "derive" failed: Error: no a \(main\.stack\.ts:3\)/,
    line: 2,
    marks: 'derive("a", (a: string) => {\n  throw new Error(`no ${a}`);\n})',
  },
  {
    name: "a function of derive that counts its calls",
    files: 'import { derive, output } from "millwright";\nlet n = 0;\noutput("x", derive("a", () => ++n));',
    says: /gives something else each time it is called/,
    line: 3,
    marks: 'derive("a", () => ++n)',
  },
  {
    name: "a function of derive that declares something",
    files:
      'import { derive, output, resource } from "millwright";\noutput("x", derive("a", () => { resource("random_pet", "p", {}); return 1; }));',
    says: /declares resource random_pet p, but the plan was made before it runs/,
    line: 2,
    marks: 'derive("a", () => { resource("random_pet", "p", {}); return 1; })',
  },
  {
    name: "a function of derive that reads the clock",
    files: 'import { derive, output } from "millwright";\noutput("x", derive("a", () => Date.now()));',
    says: /cannot read the clock/,
    line: 2,
    marks: 'derive("a", () => Date.now())',
  },
  {
    name: "another entry point of the program",
    files: 'import { buildStacks } from "millwright/stacks";\nbuildStacks();',
    says: /imports from "millwright" alone/,
    line: 1,
    marks: '"millwright/stacks"',
  },
  {
    name: "a cycle",
    files:
      'import { ref, resource } from "millwright";\nresource("terraform_data", "a", { input: ref("terraform_data.b.id") });\nresource("terraform_data", "b", { input: ref("terraform_data.a.id") });',
    says: /Cycle.*terraform_data\.a/,
    line: 2,
    marks: "",
  },
];

const folders: TestFolder[] = [];
afterEach(() => folders.splice(0).forEach((folder) => folder.remove()));

test.for(cases)(
  "$name is refused with file, line and place",
  async ({ files, says, file = "main.stack.ts", line, marks }) => {
    const folder = new TestFolder(typeof files === "string" ? { "main.stack.ts": files } : files);
    folders.push(folder);
    const { diagnostics } = await folder.plan();
    const [error] = diagnostics.filter(({ severity }) => severity === "error");
    expect(`${error?.summary}: ${error?.detail}`.replaceAll("\n", " ")).toMatch(says);
    if (marks === "") return;
    expect(error?.subject).toMatchObject({ filename: file, start: { line } });
    expect(marked(readFileSync(join(folder.path, file), "utf8"), error!.subject!)).toBe(marks);
  },
);

function marked(text: string, { start, end }: SourceRange): string {
  const lines = text.split("\n").slice(start.line - 1, end.line);
  const last = lines.pop()!.slice(0, end.column - 1);
  return [...lines, last].join("\n").slice(start.column - 1);
}
