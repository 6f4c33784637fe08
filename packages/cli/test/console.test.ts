import { describe, expect, test } from "vitest";
import { TestFolder } from "./folder.ts";

const files = {
  "main.tf": `terraform {
  required_providers {
    terraform = { source = "terraform.io/builtin/terraform" }
  }
}

resource "terraform_data" "a" {
  input = "planned"
}
locals {
  n = terraform_data.a.input
}
`,
};

// As `terraform console` of 1.11.4 answers to the same lines.
describe("the console answers to a line, or to lines that belong together", () => {
  const cases: readonly { name: string; args?: readonly string[]; stdin: string; out?: RegExp; err?: RegExp }[] = [
    { name: "a resource that is not there is not known", stdin: "local.n\n", out: /^\(known after apply\)$/m },
    { name: "after a plan it is as planned", args: ["-plan"], stdin: "local.n\n", out: /^"planned"$/m },
    {
      name: "but what the apply will tell",
      args: ["-plan"],
      stdin: "terraform_data.a.id\n",
      out: /^\(known after apply\)$/m,
    },
    { name: "the type of a value", stdin: 'type([1, "a"])\n', out: /^tuple\(\[\n {4}number,\n {4}string,\n\]\)$/m },
    {
      name: "a type within something else is refused",
      stdin: "[type(1)]\n",
      err: /console-only "type" function cannot be used as part/,
    },
    { name: "brackets that are closed lines later", stdin: "{\n a = 1,\n b = [\n2]\n}\n", out: /"b" = \[\n {4}2,/ },
    { name: "a heredoc", stdin: "<<EOT\nhello\n${1 + 1}\nEOT\n", out: /hello\n2/ },
    { name: "a provider's function", stdin: "provider::terraform::encode_expr([1])\n", out: /^"\[1\]"$/m },
    { name: "help is told what can be typed", stdin: "help\n1 + 1\n", out: /"exit" ends the console\.\n2\n/ },
    { name: "every line of several has its answer", stdin: "1\n2\n", out: /^1\n2\n$/ },
    {
      name: "a name that leads nowhere",
      stdin: "local.nn\n",
      err: /A local value with the name "nn" has not been declared/,
    },
  ];
  for (const { name, args = [], stdin, out, err } of cases) {
    test(name, async () => {
      const folder = new TestFolder(files);
      try {
        const outcome = await folder.run(["console", ...args], { stdin }, "terraform");
        expect(outcome.code).toBe(err ? 1 : 0);
        if (out) expect(outcome.out).toMatch(out);
        if (err) expect(outcome.err).toMatch(err);
      } finally {
        folder.remove();
      }
    });
  }
});
