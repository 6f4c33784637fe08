import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { outcomeOf } from "./kv-io.ts";
import { runProgram } from "./program.ts";
import { runTerraform } from "../src/terraform/main.ts";

/** Every command that takes flags, with the words that call it. */
const commands = [
  "apply",
  "console",
  "destroy",
  "fmt",
  "force-unlock",
  "get",
  "graph",
  "import",
  "init",
  "login",
  "logout",
  "metadata functions",
  "modules",
  "output",
  "plan",
  "providers",
  "providers lock",
  "providers mirror",
  "providers schema",
  "refresh",
  "show",
  "state identities",
  "state list",
  "state mv",
  "state pull",
  "state push",
  "state replace-provider",
  "state rm",
  "state show",
  "taint",
  "test",
  "untaint",
  "validate",
  "version",
  "workspace delete",
  "workspace list",
  "workspace new",
  "workspace select",
  "workspace show",
] as const;

const help = (words: string, style: "millwright" | "terraform" = "millwright") =>
  outcomeOf((io) => runTerraform([...words.split(" "), "-help"], io, style));

describe("the help of every command", () => {
  test.each(commands)("%s says how it is called, gives an example and fits 80 columns", async (words) => {
    const { code, out, err } = await help(words);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^Usage: millwright /);
    expect(out).toMatch(/^Example: millwright /m);
    expect(out.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  test("speaks of the tool whose command line it is", async () => {
    expect((await help("plan", "terraform")).out).toMatch(/^Usage: terraform plan/);
  });

  test.each(["", "state", "workspace"])("of the group %j lists its commands", async (words) => {
    const { out } = await outcomeOf((io) => runTerraform([...(words === "" ? [] : [words]), "-help"], io, "terraform"));
    expect(out).toContain("Usage: terraform");
    expect(out).toContain("Example: terraform");
    expect(out.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });
});

test("the list of all commands fits 80 columns", async () => {
  expect((await runProgram(["--help"])).out.split("\n").filter((line) => line.length > 80)).toEqual([]);
});

test("every command of Terraform's command line is one of millwright's own", async () => {
  const listed = async (args: readonly string[]) =>
    [...(await runProgram(args)).out.matchAll(/^ {2}(\w[\w-]*) {2,}\S/gm)].map(([, name]) => name!);
  const own = await listed(["--help"]);
  expect((await listed(["terraform", "-help"])).filter((name) => !own.includes(name))).toEqual([]);
});

/** The rows of the table in the documentation: command, flag, status, note. */
function documented(): { readonly command: string; readonly flag: string; readonly status: string }[] {
  const text = readFileSync(new URL("../../../docs/compatibility/terraform-cli.md", import.meta.url), "utf8");
  return [...text.matchAll(/^\| `([^`]+)` \| `(-[\w-]+)` \| (\w+) \|/gm)].map(([, command, flag, status]) => ({
    command: command!,
    flag: flag!,
    status: status!,
  }));
}

describe("the table of flags in the documentation", () => {
  test("names every flag that there is, and none that there is not", async () => {
    const there: string[] = [];
    for (const words of commands) {
      const { out } = await help(words);
      for (const [, flag] of out.matchAll(/^ {2}(-[\w-]+)/gm)) there.push(`${words} ${flag}`);
    }
    const said = documented().filter(({ status }) => status !== "absent");
    expect(said.map(({ command, flag }) => `${command} ${flag}`).sort()).toEqual(there.sort());
  });

  test("says absent only of what is refused", async () => {
    const absent = documented().filter(({ status }) => status === "absent");
    expect(absent.length).toBeGreaterThan(0);
    for (const { command, flag } of absent) {
      const { code, err } = await outcomeOf((io) =>
        runTerraform([...command.split(" "), `${flag}=x`], io, "terraform"),
      );
      expect({ command, flag, code, refused: err.includes(`not defined: ${flag}`) }).toMatchObject({
        code: 1,
        refused: true,
      });
    }
  });
});
