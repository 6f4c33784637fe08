import { describe, expect, test } from "vitest";
import { listPath, readPath } from "./secret-path.ts";

const v2 = { path: "team/secret/", type: "kv", version: "2" };

describe("a path in a kv engine of version 2", () => {
  test.each([
    ["team/secret/app", "team/secret/data/app"],
    ["team/secret/data/app", "team/secret/data/app"],
    ["team/secret/metadata/app", "team/secret/metadata/app"],
    ["team/secret", "team/secret/data"],
    ["team/secret/database", "team/secret/data/database"],
    ["other/app", "other/app"],
  ])("%s is read at %s", (given, want) => {
    expect(readPath(given, v2)).toBe(want);
  });

  test.each([
    ["team/secret", "team/secret/metadata"],
    ["team/secret/app", "team/secret/metadata/app"],
    ["team/secret/metadata/app", "team/secret/metadata/app"],
    ["team/secret/metadata", "team/secret/metadata"],
  ])("%s is listed at %s", (given, want) => {
    expect(listPath(given, v2)).toBe(want);
  });
});

test.each([undefined, { ...v2, version: "1" }, { ...v2, type: "database" }])("elsewhere it stays", (mount) => {
  expect([readPath("team/secret/app", mount), listPath("team/secret/app", mount)]).toEqual([
    "team/secret/app",
    "team/secret/app",
  ]);
});
