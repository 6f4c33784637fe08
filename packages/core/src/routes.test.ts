import { describe, expect, test } from "vitest";
import { compileRoutes } from "./routes.ts";

const find = compileRoutes([
  { method: "GET", pattern: "/v1/kv/*key" },
  { method: "PUT", pattern: "/v1/kv/*key" },
  { method: "GET", pattern: "/v1/session/:id" },
  { method: "GET", pattern: "/v1/session/list" },
  { method: "GET", pattern: "/" },
]);

describe("a route is found by method and path", () => {
  const cases = [
    {
      name: "the rest of a path keeps its slashes",
      path: "/v1/kv/a//b/",
      want: { pattern: "/v1/kv/*key", params: { key: "a//b/" } },
    },
    { name: "the rest may be empty", path: "/v1/kv/", want: { pattern: "/v1/kv/*key", params: { key: "" } } },
    {
      name: "percent signs are decoded once",
      path: "/v1/kv/a%2520b%2Fc",
      want: { pattern: "/v1/kv/*key", params: { key: "a%20b/c" } },
    },
    { name: "dots stay", path: "/v1/kv/../x", want: { pattern: "/v1/kv/*key", params: { key: "../x" } } },
    { name: "one segment", path: "/v1/session/7f", want: { pattern: "/v1/session/:id", params: { id: "7f" } } },
    { name: "a literal wins", path: "/v1/session/list", want: { pattern: "/v1/session/list", params: {} } },
    { name: "the root", path: "/", want: { pattern: "/", params: {} } },
  ];
  for (const { name, path, want } of cases) {
    test(name, () => {
      const match = find("GET", path);
      expect(match).toMatchObject({ kind: "found", route: { pattern: want.pattern }, params: want.params });
    });
  }
});

test("a known path with another method names the methods", () => {
  expect(find("POST", "/v1/kv/a")).toEqual({ kind: "wrong-method", methods: ["GET", "PUT"] });
});

test("other paths are unknown", () => {
  for (const path of ["/v1/kv", "/v1", "/v1/session/", "/v1/session/a/b", "/v2/kv/a", "*", ""]) {
    expect(find("GET", path), path).toEqual({ kind: "unknown" });
  }
});

test("bytes that are no UTF-8 are told apart", () => {
  expect(find("GET", "/v1/kv/%ff")).toEqual({ kind: "bad-encoding" });
});

test("the same route twice is a bug", () => {
  const route = { method: "GET", pattern: "/a" };
  expect(() => compileRoutes([route, route])).toThrow(/GET \/a is in the table twice/);
});
