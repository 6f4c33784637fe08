import { expect, test } from "vitest";
import { serviceTtls } from "./ttl.ts";

test("the longest pattern that fits says how long an answer may be kept", () => {
  const ttl = serviceTtls({ service: { "*": 1, "db*": 5, "db-main*": 7, Web: 9 } });
  const seconds = ["cache", "db", "db-other", "db-main-1", "web", "web2"].map(ttl);
  expect(seconds).toEqual([1, 5, 5, 7, 9, 1]);
  expect(serviceTtls({})("web")).toBe(0);
});
