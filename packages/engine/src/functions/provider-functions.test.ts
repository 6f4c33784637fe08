import { describe, expect, test } from "vitest";
import { messages, plainOf, TestEngine } from "../testing/test-engine.ts";

const small = (name: string, rest = "") => `resource "test_small" "${name}" {\n  name = "${name}"\n  ${rest}\n}\n`;
const shout = (text: string) => `provider::test::shout(${text})`;
const outputs = async (engine: TestEngine) => {
  const { plan, diagnostics } = await engine.plan();
  expect(messages(diagnostics)).toEqual([]);
  return Object.fromEntries([...plan.outputs].map(([name, { after }]) => [name, plainOf(after)]));
};

describe("a provider's function is called", () => {
  const cases: readonly { name: string; files: string; want: Readonly<Record<string, unknown>> }[] = [
    { name: "in an output", files: `output "o" {\n value = ${shout('"a"')}\n}\n`, want: { o: "A" } },
    {
      name: "for each element of a list, and with what another call gave",
      files: `locals {\n l = [for x in ["a", "b"] : ${shout("x")}]\n}\noutput "o" {\n value = ${shout('"${local.l[0]}c"')}\n}\n`,
      want: { o: "AC" },
    },
    {
      name: "with what is not known yet, which gives unknown",
      files: `${small("a")}output "o" {\n value = ${shout("test_small.a.echo")}\n}\n`,
      want: { o: "(unknown)" },
    },
    {
      name: "where a condition does not need it",
      files: `output "o" {\n value = false ? ${shout("null")} : "b"\n}\n`,
      want: { o: "b" },
    },
  ];
  for (const { name, files, want } of cases)
    test(name, async () => expect(await outputs(new TestEngine(files))).toEqual(want));
});

test("a variable's value may come of it, with a rule of its own that calls one too", async () => {
  const engine = new TestEngine({
    "main.tf": `module "m" {\n source = "./m"\n text = ${shout('"a"')}\n}\noutput "o" {\n value = module.m.text\n}\n`,
    "m/main.tf": `terraform {
  required_providers {
    test = { source = "millwright/test" }
  }
}
variable "text" {
  validation {
    condition     = ${shout("var.text")} == "A"
    error_message = "No."
  }
}
output "text" {
  value = var.text
}
`,
  });
  expect(await outputs(engine)).toEqual({ o: "A" });
});

test("what a resource is made of may come of it, at plan and at apply", async () => {
  const engine = new TestEngine(
    `${small("a", `value = ${shout('"v"')}`)}${small(
      "b",
      `count = length(${shout('"ab"')})\n value = ${shout("test_small.a.echo")}`,
    )
      .replace("length(", "(")
      .replace('("ab"))', '("ab")) == "AB" ? 1 : 0')}`,
  );
  expect(messages((await engine.apply()).diagnostics)).toEqual([]);
  expect(engine.attributes("test_small.a").value).toBe("V");
  expect(engine.attributes("test_small.b[0]").value).toBe(String(engine.attributes("test_small.a").echo).toUpperCase());
});

test("it is asked once for the same arguments", async () => {
  const engine = new TestEngine(`output "o" {\n value = [for i in [1, 2, 3] : ${shout('"a"')}]\n}\n`);
  await outputs(engine);
  expect(engine.provider.log.calls.filter(({ method }) => method === "callFunction")).toHaveLength(1);
});

describe("a call that is wrong is refused at its place", () => {
  const cases: readonly { name: string; call: string; want: RegExp }[] = [
    {
      name: "of a function that the provider does not have",
      call: "provider::test::shuot(1)",
      want: /Unknown provider function: The function "shuot" is not available from the provider "test"\..*Did you mean/,
    },
    {
      name: "of a provider that is not required",
      call: "provider::other::f(1)",
      want: /Unknown provider function: There is no function named "provider::other::f"/,
    },
    { name: "without a function", call: "provider::test(1)", want: /must include the provider name/ },
    {
      name: "with null",
      call: shout("null"),
      want: /Invalid function argument: Invalid value for "text" parameter: argument must not be null/,
    },
    {
      name: "with another type",
      call: shout("[]"),
      want: /Invalid function argument: Invalid value for "text" parameter/,
    },
  ];
  for (const { name, call, want } of cases) {
    test(name, async () => {
      const engine = new TestEngine(`output "o" {\n value = ${call}\n}\n`);
      expect(messages(await engine.validate()).join("\n")).toMatch(want);
    });
  }
});
