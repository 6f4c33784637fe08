import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runNode } from "../test/running-node.ts";

const page = readFileSync(
  fileURLToPath(new URL("../../../docs/compatibility/consul-agent-api.md", import.meta.url)),
  "utf8",
);

test("the page of the agent's API has every route with what it needs, and no other", async () => {
  const one = await runNode();
  const rows = one.node.routes.map(({ method, pattern, permission, blocking }) => {
    const needs = permission.kind === "everyone" ? "nothing" : permission.what;
    return `| \`${method} ${pattern}\` | ${needs}${blocking ? "; waits with `?hash`" : ""} |`;
  });
  await one.close();
  const written = page.split("\n").filter((line) => line.startsWith("| `"));
  expect(written.toSorted()).toEqual(rows.toSorted());
});
