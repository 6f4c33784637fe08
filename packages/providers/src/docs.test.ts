import { readFileSync } from "node:fs";
import type { Provider } from "@millwright/provider/protocol";
import type { BlockSchema } from "@millwright/provider/schema";
import { configureForTest, contractViolations } from "@millwright/provider/testing/contract";
import { expect, test } from "vitest";
import { type Notebook, notes } from "../test/notes-provider.ts";
import { builtinProviders } from "./registry.ts";

function repositoryFile(path: string): string {
  return readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
}

const table = repositoryFile("docs/compatibility/providers.md");
const guide = repositoryFile("docs/providers.md");

/** What a provider has, as the rows of its table begin. */
async function rowsOf(provider: Provider): Promise<string[]> {
  const schema = await provider.schema();
  const kinds = [
    ["resource", schema.resources],
    ["data", schema.dataSources],
    ["ephemeral", schema.ephemeralResources],
  ] as const;
  return [
    ...kinds.flatMap(([kind, all]) =>
      [...all].map(([name, { block }]) => `| ${kind} | \`${name}\` | all ${countOf(block)} |`),
    ),
    ...[...schema.functions.keys()].map((name) => `| function | \`${name}\` | |`),
  ];
}

/** All attributes, those inside of blocks and the blocks themselves included. */
function countOf({ attributes, blocks }: BlockSchema): number {
  return [...blocks.values()].reduce((sum, { block }) => sum + 1 + countOf(block), attributes.size);
}

test.each(builtinProviders)(
  "the table of $address names all that it has, and nothing else",
  async ({ address, version, load }) => {
    const [, section = ""] = table.split(`## ${address} ${version}\n`);
    const rows = section
      .split("\n## ")[0]!
      .split("\n")
      .filter((line) => /^\| (resource|data|ephemeral|function) \|/.test(line))
      .map(
        (line) =>
          line
            .replace(/(\d+) of \d+/, "all $1")
            .split("|")
            .slice(0, 4)
            .join("|") + "|",
      );
    expect(rows.sort()).toEqual((await rowsOf(await load())).sort());
  },
);

test("the guide names each built-in provider with its version", () => {
  for (const { address, version } of builtinProviders) {
    expect(guide).toMatch(
      new RegExp(`\\| \`${address.replaceAll(".", "\\.")}\` \\| .*${version.replaceAll(".", "\\.")} \\|`),
    );
  }
});

test("the write-only password that the guide shows is that of the example", () => {
  const shown = /```hcl\n([\s\S]*?)```/.exec(guide.split("### Secrets that are kept nowhere")[1] ?? "")?.[1] ?? "";
  expect(shown).toContain("password_wo");
  const example = repositoryFile("examples/database/main.tf");
  for (const block of shown.split(/\n\n(?=\S)/)) expect(example).toContain(block.trim());
});

test("the provider that the guide shows is one that works", async () => {
  const shown = /```ts\n([\s\S]*?)```/.exec(guide)?.[1];
  expect(shown).toBe(repositoryFile("packages/providers/test/notes-provider.ts"));
  const notebook: Notebook = new Map();
  const provider = notes(notebook).start();
  await configureForTest(provider);
  const life = { type: "notes_note", config: { title: "a" }, changes: [{ title: "a", text: "b" }, { title: "c" }] };
  expect(await contractViolations(provider, { ...life, interrupted: "present" })).toEqual([]);
  expect(notebook.size).toBe(0);
});
