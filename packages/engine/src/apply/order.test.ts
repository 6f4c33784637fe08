import { describe, expect, test } from "vitest";
import { TestEngine } from "../testing/test-engine.ts";

const small = (name: string, rest = "") => `resource "test_small" "${name}" {\n  name = "${name}"\n  ${rest}\n}\n`;
const after = (...names: readonly string[]) => `depends_on = [${names.map((n) => `test_small.${n}`).join(", ")}]`;
const madeFirst = "lifecycle {\n create_before_destroy = true\n}";

describe("changes come in an order that always works", () => {
  const cases: readonly { name: string; before: string; after: string; want: readonly string[] }[] = [
    {
      name: "what others depend on is made first",
      before: "",
      after: small("c", after("b")) + small("b", after("a")) + small("a"),
      want: ["create a", "create b", "create c"],
    },
    {
      name: "what is removed goes in reverse",
      before: small("c", after("b")) + small("b", after("a")) + small("a"),
      after: "",
      want: ["delete c", "delete b", "delete a"],
    },
    {
      name: "of two that are replaced the dependent one goes first and comes last",
      before: small("a", 'force = "1"') + small("b", `force = "1"\n${after("a")}`),
      after: small("a", 'force = "2"') + small("b", `force = "2"\n${after("a")}`),
      want: ["delete b", "delete a", "create a", "create b"],
    },
    {
      name: "a chain of three replacements",
      before: small("a", 'force = "1"') + small("b", "force = test_small.a.id") + small("c", "force = test_small.b.id"),
      after: small("a", 'force = "2"') + small("b", "force = test_small.a.id") + small("c", "force = test_small.b.id"),
      want: ["delete c", "delete b", "delete a", "create a", "create b", "create c"],
    },
    {
      name: "what is no longer referred to goes before the update of what referred to it",
      before: small("b") + small("a", "value = test_small.b.id"),
      after: small("a", 'value = "none"'),
      want: ["delete b", "update a"],
    },
    {
      name: "where it is to be made first, the update comes before the end of what it referred to",
      before: small("b", madeFirst) + small("a", "value = test_small.b.id"),
      after: small("a", 'value = "none"'),
      want: ["update a", "delete b"],
    },
    {
      name: "dependencies that were turned round are no circle",
      before: small("b", 'force = "1"') + small("a", `force = "1"\n${after("b")}`),
      after: small("a", 'force = "2"') + small("b", `force = "2"\n${after("a")}`),
      want: ["delete a", "delete b", "create a", "create b"],
    },
    {
      name: "dependencies that were turned round, made first",
      before: small("b", `force = "1"\n${madeFirst}`) + small("a", `force = "1"\n${after("b")}\n${madeFirst}`),
      after: small("a", `force = "2"\n${madeFirst}`) + small("b", `force = "2"\n${after("a")}\n${madeFirst}`),
      want: ["create a", "delete a", "create b", "delete b"],
    },
    {
      name: "a dependency that was dropped still counts for the old objects",
      before: small("a", 'force = "1"') + small("b", `force = "1"\n${after("a")}`),
      after: small("a", 'force = "2"') + small("b", 'force = "2"'),
      want: ["delete b", "delete a", "create a", "create b"],
    },
    {
      name: "order goes through locals, outputs and variables",
      before: small("a") + `locals {\n v = test_small.a.id\n}\n${small("b", "value = local.v")}`,
      after: "",
      want: ["delete b", "delete a"],
    },
    {
      name: "what a provider is configured by outlives what that provider manages",
      before: `${small("a")}provider "test" {\n alias = "p"\n prefix = test_small.a.id\n}\n${small("b", "provider = test.p")}`,
      after: `provider "test" {\n alias = "p"\n}\n`,
      want: ["delete b", "delete a"],
    },
  ];
  for (const { name, before, after: then, want } of cases) {
    test(name, async () => {
      const engine = new TestEngine("");
      await engine.given(before);
      engine.configure(then);
      const { diagnostics } = await engine.apply();
      expect(diagnostics).toEqual([]);
      expect(engine.changes()).toEqual(want);
    });
  }
});

describe("a destroy of all", () => {
  test("goes in reverse, with providers configured from what is destroyed after them", async () => {
    const engine = new TestEngine("");
    await engine.given(
      `${small("a")}provider "test" {\n alias = "p"\n prefix = test_small.a.id\n}\n${small("b", "provider = test.p")}${small("c", after("b"))}`,
    );
    const { plan } = await engine.plan({ mode: "destroy" });
    const { diagnostics } = await engine.apply(plan);
    expect(diagnostics).toEqual([]);
    expect(engine.changes()).toEqual(["delete c", "delete b", "delete a"]);
    expect(engine.objects()).toEqual([]);
  });

  test("a provider that is configured by a replaced object is no circle", async () => {
    const configured = (force: string) =>
      `${small("a", `force = "${force}"`)}provider "test" {\n alias = "p"\n prefix = test_small.a.name\n}\n${small("b", `provider = test.p\nforce = "${force}"`)}`;
    const engine = new TestEngine("");
    await engine.given(configured("1"));
    engine.configure(configured("2"));
    const { diagnostics } = await engine.apply();
    expect(diagnostics).toEqual([]);
    expect(engine.changes()).toEqual(["delete a", "create a", "delete b", "create b"]);
  });
});
