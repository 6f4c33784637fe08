import { expect, test } from "vitest";
import { nodeOf } from "../test/cluster.ts";
import { comparisonOf } from "./comparison.ts";

const node = nodeOf("n1", {
  nodeClass: "big",
  attributes: { "kernel.name": "linux", "cpu.frequency": "2400", version: "1.5.0-beta1", tags: "a, b,c" },
  meta: { rack: "r1" },
});

const cases: readonly (readonly [left: string, operand: string, right: string, want: boolean])[] = [
  ["${attr.kernel.name}", "=", "linux", true],
  ["${attr.kernel.name}", "is", "darwin", false],
  ["$attr.kernel.name", "==", "linux", true],
  ["${meta.rack}", "=", "r1", true],
  ["${node.class}", "=", "big", true],
  ["${node.datacenter}", "!=", "dc1", false],
  ["${node.unique.name}", "=", "${node.unique.id}", true],
  ["${attr.absent}", "=", "", false],
  ["${attr.absent}", "!=", "linux", true],
  ["${attr.absent}", "is_not_set", "", true],
  ["${attr.kernel.name}", "is_set", "", true],
  ["${attr.cpu.frequency}", ">", "900", true],
  ["${attr.cpu.frequency}", "<=", "2400.0", true],
  ["${attr.kernel.name}", "<", "m", true],
  ["${attr.kernel.name}", "regexp", "^lin(ux|us)$", true],
  ["${attr.kernel.name}", "regexp", "(", false],
  ["${attr.version}", "version", ">= 1.0", false],
  ["${attr.version}", "semver", ">= 1.0", true],
  ["${attr.version}", "semver", ">= 1.5.0", false],
  ["${attr.version}", "semver", "one", false],
  ["${attr.tags}", "set_contains", "c,a", true],
  ["${attr.tags}", "set_contains_all", "a,d", false],
  ["${attr.tags}", "set_contains_any", "d,b", true],
  ["${attr.tags}", "set_contains_any", "d", false],
  ["${attr.kernel.name}", "resembles", "linux", false],
];

test.each(cases)("a node with %s %s %s: %s", (lTarget, operand, rTarget, want) => {
  expect(comparisonOf({ lTarget, operand, rTarget })(node)).toBe(want);
});
