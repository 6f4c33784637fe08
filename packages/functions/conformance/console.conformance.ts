import { existsSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CaseFile, ConsoleCase } from "../test/console-cases.ts";
import { caseFilesIn, writeCases } from "../test/console-cases.ts";
import type { TerraformConsole } from "../test/terraform-console.ts";
import { openTerraformConsole } from "../test/terraform-console.ts";

/**
 * Holds the golden answers of all packages (`packages/X/testdata/console/*.txt`, beside the module they are asked in) to the
 * real `terraform console`. With UPDATE=1 the answers are written instead. That ours gives these answers is what
 * `npm test` shows.
 */
const packages = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const folders = globSync("*/testdata/console", { cwd: packages }).sort();
const consolesAtOnce = 4;

describe.each(folders)("%s", (folder) => {
  const absolute = join(packages, folder);
  const consoles: TerraformConsole[] = [];
  const empty = mkdtempSync(join(tmpdir(), "millwright-empty-"));

  beforeAll(async () => {
    const module = join(absolute, "module");
    const folder = existsSync(module) ? module : empty;
    while (consoles.length < consolesAtOnce) {
      const terraform = await openTerraformConsole(folder);
      if (!terraform) throw new Error("a terraform of the 1.11 series is needed on the PATH");
      consoles.push(terraform);
    }
  });
  afterAll(() => {
    rmSync(empty, { recursive: true, force: true });
    for (const terraform of consoles) terraform.close();
  });

  test.each(caseFilesIn(absolute))("terraform console answers as $name says", { timeout: 300_000 }, async (file) => {
    const asked = await ask(consoles, file);
    if (process.env.UPDATE) writeCases(asked);
    else expect(asked.items).toEqual(file.items);
  });
});

const tofuConsole = await openTerraformConsole(join(packages, "functions", "testdata", "console", "module"), "tofu");

describe.runIf(tofuConsole)("OpenTofu 1.12", () => {
  afterAll(() => tofuConsole?.close());

  const files = caseFilesIn(join(packages, "functions", "testdata", "opentofu"));
  test.each(files.filter(({ name }) => !name.endsWith("1.13")))(
    "tofu console answers as $name says",
    { timeout: 300_000 },
    async (file) => {
      const asked = await ask([tofuConsole!], file);
      if (process.env.UPDATE) writeCases(asked);
      else expect(asked.items).toEqual(file.items);
    },
  );
});

/** The same file with the tool's answers; each console takes the next question when it has answered one. */
async function ask(consoles: readonly TerraformConsole[], file: CaseFile): Promise<CaseFile> {
  const items: (ConsoleCase | { readonly comment: string })[] = [...file.items];
  let next = 0;
  const work = async (terraform: TerraformConsole) => {
    while (next < items.length) {
      const index = next++;
      const item = items[index]!;
      if ("expression" in item) items[index] = { ...item, answer: await terraform.answer(item.expression) };
    }
  };
  await Promise.all(consoles.map(work));
  return { ...file, items };
}
