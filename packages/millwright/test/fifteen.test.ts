import { toPlainJson } from "./plain.ts";
import { afterEach, describe, expect, test } from "vitest";
import { TestFolder } from "./test-folder.ts";

/*
 * Small stacks as a new user would write them, each with a value that is unknown until apply. Either what was applied is
 * what JavaScript would have computed from the real value, or there was an error: never a wrong plan without one.
 * `as any` in a stack is part of the text under test: what a user writes to get past the types, which must be caught when it runs.
 */

type Outputs = Readonly<Record<string, unknown>>;

interface Case {
  readonly name: string;
  readonly stack: string;
  readonly want:
    | { readonly error: RegExp; readonly line: number }
    | { readonly outputs: (outputs: Outputs) => unknown };
}

const cases: readonly Case[] = [
  {
    name: "a name with a random suffix",
    stack: `import { output, resource } from "millwright";
const pet = resource("random_pet", "suffix", {});
const bucket = resource("terraform_data", "bucket", { input: \`logs-\${pet.id}\` });
output("pet", pet.id);
output("name", bucket.output);`,
    want: { outputs: (o) => [o.name, `logs-${o.pet}`] },
  },
  {
    name: "a name in upper case by a method of the reference",
    stack: `import { output, resource } from "millwright";
const pet = resource("random_pet", "suffix", {});
output("name", (pet as any).id.toUpperCase());`,
    want: { error: /random_pet\.suffix\.id\.toUpperCase is a reference.*cannot be called/, line: 3 },
  },
  {
    name: "a name in upper case by a method of the text",
    stack: `import { output, resource } from "millwright";
const pet = resource("random_pet", "suffix", {});
const name = \`logs-\${pet.id}\`.toUpperCase();
output("name", name);`,
    want: { error: /cannot be looked at or changed by toUpperCase/, line: 3 },
  },
  {
    name: "a name cut to a length",
    stack: `import { derive, output, resource } from "millwright";
const pet = resource("random_pet", "suffix", {});
output("pet", pet.id);
output("short", derive(pet.id, (id: string) => \`logs-\${id}\`.slice(0, 10)));`,
    want: { outputs: (o) => [o.short, `logs-${o.pet}`.slice(0, 10)] },
  },
  {
    name: "the name of a resource",
    stack: `import { resource } from "millwright";
const pet = resource("random_pet", "suffix", {});
resource("terraform_data", \`data-\${pet.id}\`, { input: 1 });`,
    want: { error: /name of a resource must be known when planning.*data-\$\{random_pet\.suffix\.id\}/, line: 3 },
  },
  {
    name: "a JSON document with a reference inside",
    stack: `import { json, output, resource } from "millwright";
const secret = resource("random_string", "s", { length: 20, special: true, override_special: "\\"\\\\\\\\<" });
output("secret", secret.result);
output("document", json({ version: 1, credentials: [{ user: "app", password: secret.result }] }));`,
    want: {
      outputs: (o) => [
        JSON.parse(o.document as string),
        { version: 1, credentials: [{ user: "app", password: o.secret }] },
      ],
    },
  },
  {
    name: "a JSON document by JSON.stringify of a reference",
    stack: `import { output, resource } from "millwright";
const secret = resource("random_string", "s", { length: 20 });
output("document", JSON.stringify({ password: secret.result }));`,
    want: { error: /written as JSON here.*json\(document\)/, line: 3 },
  },
  {
    name: "a JSON document by JSON.stringify of a text with a reference",
    stack: `import { output, resource } from "millwright";
const secret = resource("random_string", "s", { length: 20 });
output("document", JSON.stringify({ url: \`postgres://app:\${secret.result}@db\` }));`,
    want: { error: /quotes in its value would break the document/, line: 3 },
  },
  {
    name: "a map with a key that is known later",
    stack: `import { output, resource } from "millwright";
const pet = resource("random_pet", "p", {});
const made = resource("terraform_data", "m", { input: { [\`\${pet.id}\`]: "yes", plain: "no" } });
output("pet", pet.id);
output("map", made.output);`,
    want: { outputs: (o) => [o.map, { [o.pet as string]: "yes", plain: "no" }] },
  },
  {
    name: "a lookup in a table of sizes",
    stack: `import { output, resource } from "millwright";
const size = resource("random_shuffle", "size", { input: ["small", "large"], result_count: 1 });
const memory = { small: 256, large: 1024 };
output("memory", memory[size.result[0] as unknown as "small"]);`,
    want: { error: /random_shuffle\.size\.result\[0\] was put into a text or used as a key/, line: 4 },
  },
  {
    name: "a lookup in a table of sizes by derive",
    stack: `import { derive, output, resource } from "millwright";
const size = resource("random_shuffle", "size", { input: ["small", "large"], result_count: 1 });
const memory: Record<string, number> = { small: 256, large: 1024 };
output("size", size.result[0]);
output("memory", derive(size.result[0], (name: string) => memory[name]));`,
    want: { outputs: (o) => [o.memory, { small: 256, large: 1024 }[o.size as "small"]] },
  },
  {
    name: "a count that is known later",
    stack: `import { resource } from "millwright";
const n = resource("random_integer", "n", { min: 1, max: 3 });
resource("terraform_data", "server", ({ index }) => ({ input: \`server-\${index}\` }), {
  count: n.result,
});`,
    want: { error: /The "count" value depends on resource attributes that cannot be determined until apply/, line: 4 },
  },
  {
    name: "a count by a loop up to a number that is known later",
    stack: `import { resource } from "millwright";
const n = resource("random_integer", "n", { min: 1, max: 3 });
for (let i = 0; i < (n.result as any); i++) resource("terraform_data", \`server_\${i}\`, { input: i });`,
    want: { error: /random_integer\.n\.result is a reference.*cannot be compared/, line: 3 },
  },
  {
    name: "a condition on a value that is known later",
    stack: `import { output, resource } from "millwright";
const pick = resource("random_shuffle", "pick", { input: ["on", "off"], result_count: 1 });
if (pick.result[0] as any === "on") resource("terraform_data", "extra", { input: 1 });
output("x", 1);`,
    want: { error: /cannot be compared/, line: 3 },
  },
  {
    name: "a condition on whether there is a value",
    stack: `import { output, resource } from "millwright";
const pick = resource("random_shuffle", "pick", { input: ["on", "off"], result_count: 1 });
output("x", pick.result[0] ? "yes" : "no");`,
    want: { error: /cannot be a condition/, line: 3 },
  },
  {
    name: "a comparison of a text made from a value that is known later",
    stack: `import { output, resource } from "millwright";
const pick = resource("random_shuffle", "pick", { input: ["on", "off"], result_count: 1 });
const state = \`\${pick.result[0]}\`;
output("state", state);
output("x", state === "on" ? "yes" : "no");`,
    want: { error: /holds a reference.*cannot be compared/, line: 5 },
  },
  {
    name: "a condition by when",
    stack: `import { derive, output, resource, when } from "millwright";
const pick = resource("random_shuffle", "pick", { input: ["on", "off"], result_count: 1 });
const pet = resource("random_pet", "p", {});
const on = derive(pick.result[0], (state: string) => state === "on");
output("state", pick.result[0]);
output("pet", pet.id);
output("x", when(on, pet.id, "none"));`,
    want: { outputs: (o) => [o.x, o.state === "on" ? o.pet : "none"] },
  },
  {
    name: "a sum of numbers that are known later",
    stack: `import { derive, output, resource } from "millwright";
const a = resource("random_integer", "a", { min: 1, max: 9 });
const b = resource("random_integer", "b", { min: 1, max: 9 });
output("a", a.result);
output("b", b.result);
output("sum", derive([a.result, b.result], ([x, y]: readonly number[]) => x! + y!));`,
    want: { outputs: (o) => [o.sum, (o.a as number) + (o.b as number)] },
  },
  {
    name: "a sum of numbers that are known later by +",
    stack: `import { output, resource } from "millwright";
const a = resource("random_integer", "a", { min: 1, max: 9 });
output("sum", (a.result as any) + 1);`,
    want: { error: /random_integer\.a\.result is a reference.*calculated with/, line: 3 },
  },
  {
    name: "a list that is known later, gone through",
    stack: `import { output, resource } from "millwright";
const list = resource("random_shuffle", "l", { input: ["a", "b"] });
for (const name of list.result as any) output(name, name);`,
    want: { error: /random_shuffle\.l\.result is a reference.*gone through/, line: 3 },
  },
  {
    name: "a resource for each element of a list that is known when planning",
    stack: `import { output, resource } from "millwright";
const pets = resource("random_pet", "p", ({ key }) => ({ prefix: key }), { for_each: ["web", "db"] });
output("web", pets.web.id);
output("db", pets["db"].id);`,
    want: {
      outputs: (o) => [
        [String(o.web).slice(0, 4), String(o.db).slice(0, 3)],
        ["web-", "db-"],
      ],
    },
  },
  {
    name: "a search of a list for a value that is known later",
    stack: `import { output, resource } from "millwright";
const pick = resource("random_shuffle", "pick", { input: ["a", "b"], result_count: 1 });
output("isA", ["a"].includes(pick.result[0] as any));`,
    want: { error: /cannot be searched for/, line: 3 },
  },
  {
    name: "a URL with an encoded part",
    stack: `import { output, resource } from "millwright";
const s = resource("random_string", "s", { length: 8 });
output("url", \`https://h/?q=\${encodeURIComponent(\`\${s.result}\`)}\`);`,
    want: { error: /turned into something else by encodeURIComponent/, line: 3 },
  },
  {
    name: "a reference that a function of derive was not given",
    stack: `import { derive, output, resource } from "millwright";
const a = resource("random_pet", "a", {});
const b = resource("random_pet", "b", {});
output("both", derive(a.id, (id) => \`\${id}/\${b.id}\`));`,
    want: { error: /The function uses random_pet\.b\.id, which it was not given/, line: 4 },
  },
];

const folders: TestFolder[] = [];
afterEach(() => folders.splice(0).forEach((folder) => folder.remove()));

describe.for(["at once", "from a saved plan"] as const)("applied %s", (how) => {
  test.for(cases)("$name", async ({ stack, want }) => {
    const folder = new TestFolder({ "main.stack.ts": stack });
    folders.push(folder);
    const { state, diagnostics } = await folder.apply(how);
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    if ("error" in want) {
      const [error] = errors;
      expect(`${error?.summary} ${error?.detail}`.replaceAll("\n", " ")).toMatch(want.error);
      expect(error?.subject).toMatchObject({ filename: "main.stack.ts", start: { line: want.line } });
      return;
    }
    expect(errors).toEqual([]);
    const outputs = Object.fromEntries([...state.outputs].map(([name, { value }]) => [name, toPlainJson(value)]));
    const [got, expected] = want.outputs(outputs) as [unknown, unknown];
    expect(got).toEqual(expected);
    // A second plan finds nothing to do.
    const again = await folder.plan();
    expect(again.plan?.changes.map(({ action }) => action)).toEqual(again.plan?.changes.map(() => "no-op"));
  });
});
