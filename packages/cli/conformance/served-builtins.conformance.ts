import { chmodSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { builtinProviders } from "@millwright/providers/registry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestFolder } from "../test/folder.ts";
import { realTools } from "./real-tools.ts";

const launcher = fileURLToPath(new URL("../bin/millwright", import.meta.url));
// The real tool has this one inside of itself, and lets no program stand for it.
const served = builtinProviders.filter(({ address }) => !address.startsWith("terraform.io/"));

for (const tool of realTools)
  describe.runIf(tool.found)(`the real ${tool.name} runs the built-in providers`, () => {
    let programs: TestFolder;
    const folders: TestFolder[] = [];

    const theirAddress = (address: string) => address.replace(/^[^/]+/, tool.registry);

    beforeAll(() => {
      programs = new TestFolder();
      const overrides: string[] = [];
      for (const { address } of served) {
        const name = basename(address);
        const file = `${name}/terraform-provider-${name}`;
        programs.write({ [file]: `#!/bin/sh\nexec "${launcher}" provider serve ${name}\n` });
        chmodSync(`${programs.path}/${file}`, 0o755);
        overrides.push(`    "${theirAddress(address)}" = "${programs.path}/${name}"\n`);
      }
      programs.write({ "cli.tfrc": `provider_installation {\n  dev_overrides {\n${overrides.join("")}  }\n}\n` });
    });
    afterAll(() => {
      for (const folder of [programs, ...folders]) folder.remove();
    });

    function run(folder: TestFolder, ...args: readonly string[]): string {
      const { code, out, err } = tool.run(folder.path, args, { TF_CLI_CONFIG_FILE: `${programs.path}/cli.tfrc` });
      if (code !== 0) throw new Error(`${args.join(" ")} failed:\n${out}${err}`);
      return out;
    }

    function folderWith(main: string): TestFolder {
      const folder = new TestFolder({ "main.tf": main });
      folders.push(folder);
      return folder;
    }

    test.each(served)("$address says what it has", async ({ address, load }) => {
      const name = basename(address);
      const folder = folderWith(`provider "${name}" {\n}\n`);
      const { provider_schemas } = JSON.parse(run(folder, "providers", "schema", "-json"));
      const own = await (await load()).schema();
      const theirs = provider_schemas[theirAddress(address)];
      const sorted = (names: Iterable<string>) => [...names].sort();
      expect(sorted(Object.keys(theirs.resource_schemas ?? {}))).toEqual(sorted(own.resources.keys()));
      expect(sorted(Object.keys(theirs.data_source_schemas ?? {}))).toEqual(sorted(own.dataSources.keys()));
      expect(sorted(Object.keys(theirs.ephemeral_resource_schemas ?? {}))).toEqual(
        sorted(own.ephemeralResources.keys()),
      );
    });

    test("random and local are created, read, changed, and destroyed", () => {
      const main = `
resource "random_pet" "name" {
  length = 2
}
resource "local_file" "greeting" {
  filename = "greeting.txt"
  content  = "Hello, \${random_pet.name.id}!"
}
data "local_file" "read" {
  filename = local_file.greeting.filename
}
output "text" {
  value = data.local_file.read.content
}
`;
      const folder = folderWith(main);
      run(folder, "apply", "-auto-approve");
      const text = run(folder, "output", "-raw", "text");
      expect(text).toMatch(/^Hello, \w+-\w+!$/);
      expect(folder.read("greeting.txt")).toBe(text);
      expect(run(folder, "plan", "-detailed-exitcode", "-no-color")).toContain("No changes.");
      folder.write({ "main.tf": main.replace("Hello", "Goodbye") });
      run(folder, "apply", "-auto-approve");
      expect(folder.read("greeting.txt")).toMatch(/^Goodbye, /);
      run(folder, "destroy", "-auto-approve");
      expect(() => folder.read("greeting.txt")).toThrow("ENOENT");
    });

    test("a state goes between it and this program, whose providers are those of its registry", async () => {
      const main = 'resource "random_pet" "name" {\n}\nresource "random_pet" "gone" {\n}\n';
      const less = 'resource "random_pet" "name" {\n}\n';
      const ours = async (folder: TestFolder, ...args: readonly string[]) => {
        const { code, out, err } = await folder.run(args, {}, "terraform");
        if (code !== 0) throw new Error(`${args.join(" ")} failed:\n${out}${err}`);
      };
      const theirs = async (folder: TestFolder, ...args: readonly string[]) => void run(folder, ...args);
      for (const [first, second] of [
        [ours, theirs],
        [theirs, ours],
      ] as const) {
        const folder = folderWith(main);
        await first(folder, "apply", "-auto-approve");
        await second(folder, "plan", "-detailed-exitcode");
        folder.write({ "main.tf": less });
        await second(folder, "apply", "-auto-approve");
        await first(folder, "plan", "-detailed-exitcode");
        await first(folder, "destroy", "-auto-approve");
      }
    });
  });
