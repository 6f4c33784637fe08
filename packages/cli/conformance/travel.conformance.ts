import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { devNull } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { TestFolder } from "../test/folder.ts";
import { readScript } from "../test/script.ts";
import { type RealTool, realTools } from "./real-tools.ts";

/* States go between the real tools and ours, both ways: what one has applied, the other has nothing to do for. */

const place = new URL("./travel/", import.meta.url);
type Engine = (
  folder: TestFolder,
  ...args: readonly string[]
) => Promise<{ readonly code: number; readonly out: string; readonly err: string }>;

const env = { MILLWRIGHT_HISTORY: "off", TF_CLI_CONFIG_FILE: devNull, TF_IN_AUTOMATION: "1" };
const ours: Engine = (folder, ...args) => folder.run(args, { env }, "terraform");
const engineOf =
  (tool: RealTool): Engine =>
  async (folder, ...args) =>
    tool.run(folder.path, args);

async function must(engine: Engine, folder: TestFolder, ...args: readonly string[]): Promise<string> {
  const { code, out, err } = await engine(folder, ...args);
  expect(code, `${args.join(" ")}\n${out}${err}`).toBe(0);
  return out;
}

/** What a state says, without what is made anew in each run. */
function stateOf(text: string): unknown {
  const { resources, outputs, check_results: checks } = JSON.parse(text) as Readonly<Record<string, unknown>>;
  const ids = new Map<string, string>();
  const named = (id: string) => ids.get(id) ?? (ids.set(id, `id ${ids.size + 1}`), ids.get(id)!);
  const plain = JSON.stringify({ resources, outputs, checks }).replace(
    /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g,
    named,
  );
  // The order of paths and of results says nothing.
  const unordered = ["sensitive_attributes", "checks", "objects"];
  const sorted = (key: string, value: unknown) =>
    unordered.includes(key) && Array.isArray(value) ? value.map((one) => JSON.stringify(one)).sort() : value;
  return JSON.parse(plain, sorted);
}

for (const tool of realTools)
  describe.runIf(tool.found)(`a state goes between the real ${tool.name} and ours`, () => {
    const theirs = engineOf(tool);
    const directions = [
      { name: "ours first", first: ours, second: theirs },
      { name: "theirs first", first: theirs, second: ours },
    ];
    for (const file of readdirSync(place).sort()) {
      const { comment, files } = readScript(file, readFileSync(new URL(file, place), "utf8"));
      test.each(directions)(`${file}: ${comment}; $name`, async ({ first, second }) => {
        const folder = new TestFolder(files);
        try {
          await must(theirs, folder, "init");
          await must(first, folder, "apply", "-auto-approve");
          const nothing = await second(folder, "plan", "-detailed-exitcode");
          expect(nothing.code, nothing.out + nothing.err).toBe(0);
          // The other goes on from there, and the first has nothing to do for that.
          writeFileSync(join(folder.path, "main.tf"), files["second.tf.txt"]!);
          await must(theirs, folder, "init");
          await must(second, folder, "apply", "-auto-approve");
          const again = await first(folder, "plan", "-detailed-exitcode");
          expect(again.code, again.out + again.err).toBe(0);
          await must(first, folder, "destroy", "-auto-approve");
        } finally {
          folder.remove();
        }
      });

      test(`${file}: both write the same state`, async () => {
        const [mine, other] = [new TestFolder(files), new TestFolder(files)];
        try {
          for (const folder of [mine, other]) await must(theirs, folder, "init");
          await must(ours, mine, "apply", "-auto-approve");
          await must(theirs, other, "apply", "-auto-approve");
          expect(stateOf(mine.read("terraform.tfstate"))).toEqual(stateOf(other.read("terraform.tfstate")));
        } finally {
          mine.remove();
          other.remove();
        }
      });
    }
  });
