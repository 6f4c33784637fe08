import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { systemChance, systemClock } from "@millwright/core/ports";
import { expect, test } from "vitest";
import type { Dialect } from "./dialect.ts";
import type { Environment } from "./environment.ts";
import { functionsFor } from "./library.ts";
import { memoryFiles } from "./memory-files.ts";
import { terraformProviderFunctions } from "./provider-terraform.ts";

const page = readFileSync(fileURLToPath(new URL("../../../docs/compatibility/functions.md", import.meta.url)), "utf8");

/** The rows of the page's table: function, whether Terraform has it, whether OpenTofu has it, and a note. */
const rows = page
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((line) => {
    const [name, terraform, opentofu] = line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
    return { name: name!.replaceAll("`", ""), terraform: terraform === "yes", opentofu: opentofu === "yes" };
  });

function namesIn(dialect: Dialect): string[] {
  const environment: Omit<Environment, "use"> = {
    dialect,
    files: memoryFiles({}),
    baseDir: ".",
    clock: systemClock,
    chance: systemChance,
    impure: "now",
  };
  const uses = (["configuration", "console"] as const).flatMap((use) => [
    ...functionsFor({ ...environment, use }, terraformProviderFunctions).keys(),
  ]);
  return [...new Set(uses)].filter((name) => !name.startsWith("core::")).sort();
}

test.each(["terraform", "opentofu"] as const)("the documentation names just the functions that %s has", (dialect) => {
  const documented = rows.filter((row) => row[dialect]).map((row) => row.name);
  expect(documented.sort()).toEqual(namesIn(dialect));
});

test("the documentation names each function once, in order", () => {
  const names = rows.map((row) => row.name);
  expect(names).toEqual([...new Set(names)].sort());
});
