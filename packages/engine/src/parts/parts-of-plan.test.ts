import { describe, expect, test } from "vitest";
import { TestEngine, type TestFiles } from "../testing/test-engine.ts";
import { movesBetweenParts, partsOfPlan } from "./parts-of-plan.ts";

const small = (name: string, rest = "") => `resource "test_small" "${name}" {\n  name = "${name}"\n  ${rest}\n}\n`;
const inModule = (inner: string, outer: string): TestFiles => ({
  "main.tf": `${outer}module "m" {\n  source = "./m"\n  for_each = { x = 1, y = 2 }\n  in = test_small.a.id\n}\n`,
  "m/main.tf": `variable "in" {}\n${inner}`,
});

describe("a plan is about", () => {
  const cases: readonly {
    name: string;
    before: TestFiles;
    now: TestFiles;
    targets?: readonly string[];
    changed: readonly string[];
    read: readonly string[];
  }[] = [
    {
      name: "what it makes, and what that is made from through locals",
      before: small("a"),
      now: `${small("a")}locals {\n  id = test_small.a.id\n}\n${small("b", "value = local.id")}${small("c")}`,
      targets: ["test_small.b"],
      changed: ["test_small.b"],
      read: ["test_small.a"],
    },
    {
      name: "a resource without the keys of its instances and modules",
      before: inModule(small("x", "value = var.in"), small("a")),
      now: inModule(small("x", 'value = "new"\n  count = 2'), small("a")),
      changed: ["module.m.test_small.x"],
      read: [],
    },
    {
      name: "what comes through a module's variables",
      before: inModule("", small("a")),
      now: inModule(small("x", "value = var.in"), small("a")),
      changed: ["module.m.test_small.x"],
      read: ["test_small.a"],
    },
    {
      name: "what an object that goes was made after",
      before: small("a") + small("b", "value = test_small.a.id"),
      now: small("a"),
      changed: ["test_small.b"],
      read: ["test_small.a"],
    },
    {
      name: "an output that changes, and all it is made from",
      before: `${small("a")}${small("b")}`,
      now: `${small("a")}${small("b")}output "both" {\n  value = [test_small.a.name, test_small.b.name]\n}\n`,
      changed: ["output.both"],
      read: ["test_small.a", "test_small.b"],
    },
    { name: "nothing where nothing changes", before: small("a"), now: small("a"), changed: [], read: [] },
  ];
  for (const { name, before, now, targets = [], changed, read } of cases) {
    test(name, async () => {
      const engine = new TestEngine(before);
      await engine.given(before);
      engine.configure(now);
      const { plan, diagnostics } = await engine.plan({ targets });
      expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
      const { configuration } = engine.context(false, []);
      expect(partsOfPlan(plan, configuration)).toEqual({ changed, read, along: [] });
      expect(movesBetweenParts(plan)).toBe(false);
    });
  }

  test("the whole, where it gives an object another address", async () => {
    const engine = new TestEngine(small("a"));
    await engine.given(small("a"));
    engine.configure(
      `${small("b").replace('"b"\n}', '"a"\n}')}moved {\n  from = test_small.a\n  to = test_small.b\n}\n`,
    );
    expect(movesBetweenParts((await engine.plan()).plan)).toBe(true);
  });
});
