import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { systemClock } from "@millwright/core/ports";
import { expect, test } from "vitest";
import { endpointRoutes } from "./endpoints/service.ts";

const page = readFileSync(fileURLToPath(new URL("../../../../docs/node-protocol.md", import.meta.url)), "utf8");

test("the page about nodes and servers has every route that a node answers, and no other", () => {
  const context = {
    nodeId: "",
    dataFolder: "/",
    compute: 1,
    cores: 1,
    clock: systemClock,
    onChange: () => () => undefined,
  };
  const unused = { get: () => undefined } as unknown as Parameters<typeof endpointRoutes>[0]["allocations"];
  const routes = endpointRoutes({ ...context, allocations: unused });
  const firsts = new Map(routes.toReversed().map(({ method, pattern }) => [pattern, method]));
  const answered = page.slice(page.indexOf("## What a node answers"));
  const written = [...answered.matchAll(/^\| `(\w+) ([^`]+)`/gm)].map(([, method, pattern]) => `${method} ${pattern}`);
  expect(written.toSorted()).toEqual([...firsts].map(([pattern, method]) => `${method} ${pattern}`).toSorted());
});
