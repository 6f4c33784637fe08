import { describe, expect, test } from "vitest";
import type { CheckResult } from "../plan/plan.ts";
import { groupChecks, readCheckResults, worstOf } from "./results.ts";

const result = (instance: string, status: CheckResult["status"], problems: readonly string[] = []): CheckResult => {
  return { kind: "resource", configAddress: "a.b", instanceAddress: instance, status, problems };
};

describe("results of conditions", () => {
  test("of one instance are one, the worst with all its problems", () => {
    const groups = groupChecks([result("a.b", "pass"), result("a.b", "fail", ["no"]), result("a.b", "unknown")]);
    expect(groups).toEqual([
      {
        kind: "resource",
        configAddress: "a.b",
        status: "fail",
        instances: [{ instanceAddress: "a.b", status: "fail", problems: ["no"] }],
      },
    ]);
  });

  test("of an apply take the place of what the plan had of the same instance, and of no other", () => {
    const [group] = groupChecks([result("a.b[0]", "unknown"), result("a.b[1]", "fail")], [result("a.b[0]", "pass")]);
    expect(group?.instances.map(({ status }) => status)).toEqual(["pass", "fail"]);
  });

  test("are read from a state as far as they can be", () => {
    expect(readCheckResults(null)).toEqual([]);
    expect(readCheckResults([{ object_kind: "new kind", config_addr: "x" }, 1])).toEqual([]);
    expect(readCheckResults([{ object_kind: "check", config_addr: "check.c", status: "fail", objects: null }])).toEqual(
      [{ kind: "check", configAddress: "check.c", status: "fail", instances: [] }],
    );
  });

  test("of none pass", () => {
    expect(worstOf([])).toBe("pass");
  });
});
