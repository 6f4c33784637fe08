import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { runProvider } from "../src/commands/provider.ts";
import { TestFolder } from "./folder.ts";
import { outcomeOf } from "./kv-io.ts";
import { runProgram } from "./provider-program.ts";

const folders: TestFolder[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove();
});

function folderWith(files: Readonly<Record<string, string>>): TestFolder {
  const folder = new TestFolder(files);
  folders.push(folder);
  return folder;
}

function provider(folder: TestFolder, ...args: readonly string[]) {
  return outcomeOf((io) => runProvider(args, io), { cwd: folder.path });
}

const page = readFileSync(new URL("../../../docs/providers.md", import.meta.url), "utf8");
const section = page.slice(page.indexOf("### In the folder that uses it"));
const [, source = ""] = /```ts\n([^]*?)```/.exec(section)!;
const [, configuration = ""] = /```hcl\n([^]*?)```/.exec(section)!;
const greeter = { "greeter.provider.ts": source, "main.tf": configuration };

describe("a provider of a folder", () => {
  test("works as the documentation shows", async () => {
    const folder = folderWith(greeter);
    await folder.must("apply", "-auto-approve");
    expect((await folder.must("output", "-raw", "text")).out).toBe("Hello, world!");
  });

  test("is held over the built-in one of its source", async () => {
    const own = source.replace(/source: .*\n/, "").replaceAll('"greeter"', '"random"');
    const folder = folderWith({ "random.provider.ts": own.replace("greeter_greeting", "random_pet") });
    folder.write({ "main.tf": 'resource "random_pet" "p" {\n  name = "x"\n}\n' });
    const { out } = await folder.must("providers");
    expect(out).toContain("registry.terraform.io/hashicorp/random v1.0.0 (written in this folder)");
    await folder.must("apply", "-auto-approve");
  });

  const mistakes = [
    {
      name: "that does not compile is shown at its line",
      files: { "a.provider.ts": "export const x = ;\n" },
      says: ["Provider does not compile", "a.provider.ts line 1", "Unexpected"],
    },
    {
      name: "that throws while it is loaded is shown at its line",
      files: { "a.provider.ts": "\nconst client: undefined | string = undefined;\nclient!.length;\n" },
      says: ["Provider cannot be loaded", "a.provider.ts, line 3"],
    },
    {
      name: "that exports none is told what to write",
      files: { "a.provider.ts": "export const port = 1;\n" },
      says: ["No provider to serve", "export const provider = defineProvider", "It exports port"],
    },
    {
      name: "whose source is another's in the folder is refused",
      files: { "a.provider.ts": source, "b.provider.ts": source },
      says: ["Two providers of one source", "a.provider.ts and b.provider.ts"],
    },
    {
      name: "whose version is none is refused",
      files: { "a.provider.ts": source.replace("1.0.0", "one") },
      says: ["Provider cannot be named so", 'the version "one"'],
    },
    {
      name: "whose source is none is refused",
      files: { "a.provider.ts": source.replace("example.com/me/greeter", "a b") },
      says: ["Invalid provider source", "example.com/me/greeter"],
    },
  ];

  test.each(mistakes)("$name", async ({ files, says }) => {
    const folder = folderWith({ ...files, "main.tf": "locals {\n  a = 1\n}\n" });
    const { code, err } = await folder.run(["plan"]);
    const flowing = err.replace(/\s*\n│?\s*/g, " ");
    expect(code).toBe(1);
    for (const words of says) expect(flowing).toContain(words);
  });
});

describe("provider build", () => {
  test("makes a program that serves by itself", async () => {
    const folder = folderWith(greeter);
    const { code, out, err } = await provider(
      folder,
      "build",
      "greeter.provider.ts",
      "-out=m",
      "-platform=linux_amd64",
    );
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain("m/example.com/me/greeter/1.0.0/linux_amd64/terraform-provider-greeter_v1.0.0");
    const program = `${folder.path}/m/example.com/me/greeter/1.0.0/linux_amd64/terraform-provider-greeter_v1.0.0`;
    expect(await runProgram(program)).toEqual(["greeter_greeting"]);
  });

  test.each([
    { args: ["greeter.provider.ts"], says: "-out=DIR" },
    { args: ["-out=m"], says: "One provider is needed" },
    { args: ["nothing.ts", "-out=m"], says: "There is no file nothing.ts" },
    { args: ["greeter.provider.ts", "-out=m", "-platform=Linux"], says: "linux_amd64" },
  ])("refuses $args", async ({ args, says }) => {
    const { code, err } = await provider(folderWith(greeter), "build", ...args);
    expect(code).toBe(1);
    expect(err).toContain(says);
  });
});

test.each([
  { args: ["serve"], says: "One provider is needed" },
  { args: ["serve", "consull"], says: "Did you mean consul?" },
  { args: ["serv"], says: 'Did you mean "provider serve"?' },
])("provider $args says what is missing", async ({ args, says }) => {
  const { code, err } = await provider(folderWith({}), ...args);
  expect(code).toBe(1);
  expect(err).toContain(says);
});
