import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openApi, type TestApi } from "../../test/api.ts";

const page = readFileSync(new URL("../../../../docs/compatibility/nomad-api.md", import.meta.url), "utf8");
const guide = readFileSync(new URL("../../../../docs/jobs-api.md", import.meta.url), "utf8");
const [there = "", notThere = ""] = page.split("## What is not there");

let api: TestApi;
beforeAll(async () => {
  api = await openApi({ leaders: 0 });
});
afterAll(() => api.close());

test("the page of the API has every route with what it needs, and no other", () => {
  const patterns = Map.groupBy(api.routes, ({ pattern, permission, blocking }) => {
    const needs = permission.kind === "everyone" ? "nothing" : permission.what;
    return `\`${pattern}\` | ${blocking ? "yes" : ""} | ${needs} |`;
  });
  const rows = [...patterns].map(([rest, routes]) => `| \`${routes.map(({ method }) => method).join(" ")}\` ${rest}`);
  const written = there.split("\n").filter((line) => line.startsWith("| `"));
  expect(written).toEqual(rows);
});

test("what the page says is not there is answered as unknown", async () => {
  const cells = notThere.split("\n").flatMap((line) => (line.startsWith("| `") ? [line.split("|")[1] ?? ""] : []));
  const paths = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, path = ""]) => path));
  expect(paths.length).toBeGreaterThan(5);
  for (const path of paths) {
    const reply = await api.ask(`GET ${path.replaceAll(/:\w+/g, "x").replaceAll("…", "x")}`);
    expect(reply.status, path).toBe(404);
  }
});

test("the commands of the guide do what it says", async () => {
  const [, shell = ""] = /```sh\n([\s\S]*?)```/.exec(guide) ?? [];
  const commands = [...shell.matchAll(/curl (?:-X (\w+) )?'?http:\/\/127\.0\.0\.1:4646(\S+?)'?(?: -d '([^']*)')?\n/g)];
  expect(commands).toHaveLength(5);
  for (const [, method = "GET", path = "", body] of commands) {
    const reply = await api.ask(`${method} ${path}`, body);
    expect([reply.status, reply.text], path).toEqual([200, expect.anything()]);
  }
});
