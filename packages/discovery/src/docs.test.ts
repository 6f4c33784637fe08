import { readFileSync } from "node:fs";
import { openMemoryStore } from "@millwright/store/memory";
import { expect, test } from "vitest";
import { openTestServer, requestOf } from "../test/harness.ts";

const page = readFileSync(new URL("../../../docs/compatibility/consul-api.md", import.meta.url), "utf8");
const [there = "", notThere = ""] = page.split("## What is not there");

test("the page of the API has every route with what it needs, and no other", async () => {
  const store = openMemoryStore();
  const server = await openTestServer(store);
  const rows = server.discovery.routes.map(({ method, pattern, permission, blocking }) => {
    const needs = permission.kind === "everyone" ? "nothing" : permission.what;
    return `| \`${method} ${pattern}\` | ${blocking ? "yes" : ""} | ${needs} |`;
  });
  expect(there.split("\n").filter((line) => line.startsWith("| `"))).toEqual(rows);
  await server.close();
  await store.close();
});

test("what the page says is not there is answered as unknown", async () => {
  const store = openMemoryStore();
  const server = await openTestServer(store);
  const cells = notThere.split("\n").flatMap((line) => (line.startsWith("| `") ? [line.split("|")[1] ?? ""] : []));
  const paths = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, path = ""]) => path));
  expect(paths.length).toBeGreaterThan(5);
  for (const path of paths) {
    const reply = await server.discovery.handle(requestOf(`GET ${path.replaceAll("*", "x")}`));
    expect(reply.status, path).toBe(404);
  }
  await server.close();
  await store.close();
});

test("the commands of the guide do what it says", async () => {
  const guide = readFileSync(new URL("../../../docs/discovery.md", import.meta.url), "utf8");
  const [, shell = ""] = /```sh\n([\s\S]*?)```/.exec(guide) ?? [];
  const commands = [...shell.matchAll(/curl (?:-X (PUT) )?'?http:\/\/127\.0\.0\.1:8500(\S+?)'?(?: -d '([^']*)')?\n/g)];
  const store = openMemoryStore();
  const server = await openTestServer(store);
  const answers: string[] = [];
  for (const [, method = "GET", path = "", body] of commands) {
    const reply = await server.ask(`${method} ${path}`, body);
    expect(reply.status).toBe(200);
    answers.push(reply.text);
  }
  expect(answers).toEqual(["true", expect.stringContaining('"Port":631'), "true"]);
  await server.close();
  await store.close();
});
