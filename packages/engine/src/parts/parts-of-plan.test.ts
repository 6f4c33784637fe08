import { describe, expect, test } from "vitest";
import { TestEngine, type TestFiles } from "../testing/test-engine.ts";
import { partsOfPlan } from "./parts-of-plan.ts";

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
    {
      name: "both ends of a move, and what was made after the one that is left",
      before: small("a") + small("b", "value = test_small.a.id") + small("c"),
      now: `${small("z").replace('name = "z"', 'name = "a"')}${small("b", "value = test_small.z.id")}${small("c")}moved {
  from = test_small.a
  to   = test_small.z
}
`,
      changed: ["test_small.a", "test_small.b", "test_small.z"],
      read: [],
    },
    {
      name: "one part, where an instance moves within it",
      before: small("a") + small("b", "value = test_small.a.id"),
      now: small("a", "count = 1") + small("b", "value = test_small.a[0].id"),
      changed: ["test_small.a"],
      read: [],
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
    });
  }
});
