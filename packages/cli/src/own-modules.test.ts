import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

interface Found {
  readonly url: string;
  readonly format: string;
}

/** What the entry imports as plain JavaScript. */
interface OwnModules {
  ownModules(packages: string, version: string): (specifier: string, parent: string | undefined) => Found | undefined;
}

const entry: string = new URL("./own-modules.mjs", import.meta.url).href;
let own: OwnModules["ownModules"];
let folder: string;

beforeAll(async () => {
  own = ((await import(entry)) as OwnModules).ownModules;
  folder = mkdtempSync(join(tmpdir(), "millwright-own-"));
  const manifest = (path: string, content: object) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), JSON.stringify(content));
  };
  manifest("packages/hcl/package.json", { version: "1.0.0", exports: { "./parse": "./src/parse.ts" } });
  const compiled = { types: "./src/parse.d.ts", default: "./src/parse.js" };
  manifest("@millwright/hcl/package.json", { version: "1.0.0", exports: { "./parse": compiled } });
  manifest("@millwright/core/package.json", { version: "2.0.0", exports: { "./parse": compiled } });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const url = (path: string) => pathToFileURL(join(folder, path)).href;

describe("a module of ours is found without asking", () => {
  const cases = [
    { name: "beside its importer", from: "packages/cli/src/a.ts", input: "./b.ts", want: "packages/cli/src/b.ts" },
    { name: "in another folder", from: "packages/cli/src/x/a.ts", input: "../b.ts", want: "packages/cli/src/b.ts" },
    {
      name: "by its entry point",
      from: "packages/cli/src/a.ts",
      input: "@millwright/hcl/parse",
      want: "packages/hcl/src/parse.ts",
    },
    { name: "compiled", from: "@millwright/cli/src/a.js", input: "./b.js", want: "@millwright/cli/src/b.js" },
    {
      name: "compiled, by its entry point",
      from: "@millwright/cli/src/a.js",
      input: "@millwright/hcl/parse",
      want: "@millwright/hcl/src/parse.js",
    },
    {
      name: "but not an entry point that is not public",
      from: "packages/cli/src/a.ts",
      input: "@millwright/hcl/lexer",
      want: undefined,
    },
    {
      name: "but not a package that is not there",
      from: "packages/cli/src/a.ts",
      input: "@millwright/none/parse",
      want: undefined,
    },
    {
      name: "but not a package of another version",
      from: "@millwright/cli/src/a.js",
      input: "@millwright/core/parse",
      want: undefined,
    },
    { name: "but not a package of somebody else", from: "packages/cli/src/a.ts", input: "yaml", want: undefined },
    { name: "but not one of Node's", from: "packages/cli/src/a.ts", input: "node:fs", want: undefined },
    { name: "but not of another kind", from: "packages/cli/src/a.ts", input: "./b.mjs", want: undefined },
    { name: "but not for a user's file", from: "stacks/a.ts", input: "./b.ts", want: undefined },
    {
      name: "but not for a package inside of ours",
      from: "packages/cli/node_modules/a/b.ts",
      input: "./c.ts",
      want: undefined,
    },
  ];
  test.each(cases)("$name", ({ from, input, want }) => {
    const packages = url(from.startsWith("@millwright/") ? "@millwright/" : "packages/");
    const format = packages.endsWith("/packages/") ? "module-typescript" : "module";
    expect(own(packages, "1.0.0")(input, url(from))).toEqual(want && { url: url(want), format });
  });
});
