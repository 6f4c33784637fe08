import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { archiveKinds } from "@millwright/artifact/archive-kind";
import { dockerOptions, notThere, parseDockerConfig } from "./docker/config.ts";

const page = (name: string) => readFileSync(fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url)), "utf8");

/** What stands in code in the first column of the table behind a heading. */
function firstColumn(text: string, heading: string): readonly string[] {
  const section = text.slice(text.indexOf(`\n${heading}\n`)).split(/\n## /)[1] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  return rows.flatMap((row) => [...row.split("|")[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!));
}

test("the page of drivers has every option of docker, and no other", () => {
  expect(firstColumn(page("drivers.md"), "## docker").toSorted()).toEqual(dockerOptions());
});

test("what the page says is refused is refused with what to do", () => {
  const text = page("drivers.md").replaceAll("\n", " ");
  const [, names = ""] = /refused by its name, before anything starts: (.*?) and the rest/.exec(text) ?? [];
  const refused = [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
  expect(refused.length).toBeGreaterThan(5);
  for (const name of refused) {
    expect(Object.keys(notThere)).toContain(name);
    expect(() => parseDockerConfig({ image: "x", [name]: true })).toThrow(`${name} is not there.`);
  }
});

test("the page of artifacts has every format, and no other", () => {
  const known = archiveKinds.map(({ name }) => name).toSorted();
  expect(firstColumn(page("artifacts.md"), "## Formats").toSorted()).toEqual(known);
});
