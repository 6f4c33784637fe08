import { afterEach, expect, test } from "vitest";
import { TestFolder } from "./test-folder.ts";

/*
 * Every method of strings, done to a text that holds a reference, is refused or leaves the reference whole: a new one in a
 * later Node falls under this test by itself.
 * `as any` in a stack is part of the text under test: what a user writes to get past the types, which must be caught when it runs.
 */

/** What keeps a text whole, and so stays true of whatever the value will be. */
const harmless = new Set(["concat", "constructor", "isWellFormed", "repeat", "toString", "toWellFormed", "valueOf"]);
/** Old methods that put a text between tags as it is. */
const tags = new Set([
  "anchor",
  "big",
  "blink",
  "bold",
  "fixed",
  "fontcolor",
  "fontsize",
  "italics",
  "link",
  "small",
  "strike",
  "sub",
  "sup",
]);

const names = Object.getOwnPropertyNames(String.prototype).filter((name) => name !== "length");

const folders: TestFolder[] = [];
afterEach(() => folders.splice(0).forEach((folder) => folder.remove()));

async function diagnosticsOf(expression: string): Promise<string[]> {
  const folder = new TestFolder({
    "main.stack.ts": `import { output, resource } from "millwright";
const pet = resource("random_pet", "p", {});
const text = \`a-\${pet.id}-b\`;
const result: any = ${expression};
output("result", typeof result === "object" ? [...result] : result);
output("text", text);`,
  });
  folders.push(folder);
  const { diagnostics } = await folder.plan();
  return diagnostics.map(({ detail }) => detail);
}

test.for(names)("%s of a text with a reference", async (name) => {
  const found = await diagnosticsOf(`(text as any).${name}("1", "2")`);
  if (name === "constructor" || tags.has(name) || (harmless.has(name) && name !== "repeat")) expect(found).toEqual([]);
  else if (name === "repeat") expect(found).toEqual([]);
  else expect(found[0]).toMatch(/holds a reference, whose value is known later|this machine's language/);
});

test.for([
  ...[
    "===",
    "!==",
    "==",
    "<",
    ">",
    "<=",
    ">=",
    "-",
    "*",
    "/",
    "%",
    "**",
    "&",
    "|",
    "^",
    "<<",
    ">>",
    ">>>",
    "&&",
    "||",
    "??",
  ].map((operator) => `text ${operator} "a"`),
  ...["===", "!==", "==", "<", "-", "*", "&"].map((operator) => `"a" ${operator} text`),
  ...[
    "!text",
    "-text",
    "+text",
    "~text",
    "text ? 1 : 2",
    "text.length",
    "text[0]",
    "({} as any)[text] ?? 1",
    "text in {}",
    "Number(text)",
    "Boolean(text)",
    "BigInt(text)",
  ],
  ...[
    "parseInt(text)",
    "parseFloat(text)",
    "isNaN(text as any)",
    "encodeURIComponent(text)",
    "escape(text)",
    "JSON.stringify(text)",
    "JSON.stringify({ [text]: 1 })",
    "JSON.parse(text)",
  ],
  ...[
    '["a"].includes(text)',
    "[text].indexOf('a')",
    "[text, 'a'].sort()",
    "new Set([text]).size",
    "new Map([[text, 1]]).size",
    "Object.is(text, 'a')",
    "Object.hasOwn({}, text)",
    "Object.keys(text)",
  ],
  ...[
    "[1].filter(() => text)",
    "[1].some(() => text as any)",
    "[1].find(() => text)",
    "/a/.test(text)",
    "/a/.exec(text)",
    "text.length > 3",
    "Array.from(text)",
    "[...text]",
    "((s: string) => { switch (s) { case 'a': return 1; default: return 2; } })(text)",
  ],
  ...[
    "((s: string) => { let n = 0; for (const c of s) n++; return n; })(text)",
    "((s: any) => { s -= 1; return s; })(text)",
    "((s: any) => { s ||= 1; return s; })(text)",
  ],
])("%s is refused", async (expression) => {
  expect(await diagnosticsOf(expression)).not.toEqual([]);
});

test.for([
  "text + '!'",
  "'<' + text + '>'",
  "[text, text].join()",
  "String(text)",
  "`${text}`",
  "({ a: text }).a",
  "[text].map((t) => `${t}!`)",
  "'x-NAME'.replace('NAME', text)",
])("%s keeps the reference", async (expression) => {
  expect(await diagnosticsOf(expression)).toEqual([]);
});
