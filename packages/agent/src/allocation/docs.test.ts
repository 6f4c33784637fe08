import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { TaskExit } from "../driver/driver.ts";
import { taskEvents } from "./task-events.ts";

/* docs/allocations.md names just the events that there are, and the rest of what it promises by name. */

const page = readFileSync(new URL("../../../../docs/allocations.md", import.meta.url), "utf8");

function section(title: string): string {
  const [, text = ""] = page.split(new RegExp(`^#+ ${title}$`, "m"));
  return text.split(/^#/m)[0] ?? "";
}

/** The names of a table's first column. */
function names(title: string): readonly string[] {
  const rows = [...section(title).matchAll(/^\| (`[^|]+) \|/gm)];
  return rows.flatMap(([, cell = ""]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name));
}

test("the page has every event that there is, and no other", () => {
  const exit: TaskExit = { exitCode: 0, signal: 0, oomKilled: false, at: 0, lost: "" };
  const { terminated, ...others } = taskEvents;
  // Whatever their details are: their type is the same.
  const makers = Object.values(others) as ((...parts: readonly unknown[]) => { readonly Type: string })[];
  const types = [terminated(exit).Type, ...makers.map((make) => make(0, 0, 0).Type)];
  expect(names("Events").toSorted()).toEqual([...new Set(types)].sort());
});

test("the page has every variable of a task", () => {
  const source = readFileSync(new URL("./environment.ts", import.meta.url), "utf8");
  const made = [...source.matchAll(/\b(NOMAD_[A-Z_]*[A-Z]|VAULT_[A-Z]+)(?:: |_\$\{label\})/g)].map(
    ([, name = ""]) => name,
  );
  const written = names("Environment").map((name) => name.replace(/_<.*$/, ""));
  expect(made.length).toBeGreaterThan(20);
  expect(made.filter((name) => !written.includes(name))).toEqual([]);
});
