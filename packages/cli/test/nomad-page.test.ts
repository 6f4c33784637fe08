import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { runNomad } from "../src/nomad/main.ts";
import { outcomeOf } from "./kv-io.ts";

/* docs/compatibility/nomad-cli.md names just the commands and flags that there are. */

const page = readFileSync(new URL("../../../docs/compatibility/nomad-cli.md", import.meta.url), "utf8");

const nomad = (...args: string[]) => outcomeOf((io) => runNomad(args, io));

/** The commands of the page, by what it says of them. */
function documentedCommands(status: string): readonly string[] {
  const rows = [...page.matchAll(/^\| (`.*`) \| ([^|]+) \|$/gm)].filter(([, , said]) => said!.startsWith(status));
  return rows.flatMap(([, names]) => [...names!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!));
}

const there = [...(await nomad("-help")).out.matchAll(/^ {4}(\S+(?: \S+)?) {2,}\S/gm)].map(([, name]) => name!);

describe("the commands on the page", () => {
  test("are those that the overview lists, and the words of 2016", async () => {
    const { out } = await nomad("-help");
    const [, former = ""] = /as in 2016: ([^.]+)\./.exec(out) ?? [];
    const all = [...there, "version", ...former.split(/,\s+/)];
    expect([...documentedCommands("there")].sort()).toEqual(all.sort());
  });

  test("that it calls absent are refused", async () => {
    const absent = documentedCommands("absent");
    expect(absent.length).toBeGreaterThan(20);
    for (const name of absent) {
      const { code, err } = await nomad(...name.split(" "));
      expect({ name, code, err: err.split("\n")[0] }).toMatchObject({
        code: 127,
        err: expect.stringMatching(/^There is no command "nomad /),
      });
    }
  });
});

describe("the table of flags on the page", () => {
  const rows = [...page.matchAll(/^\| `([^`]+)` \| `(-[\w-]+)` \| (\w+) \|/gm)].map(([, command, flag, status]) => ({
    command: command!,
    flag: flag!,
    status: status!,
  }));
  const [, shared = ""] = /^Every command has ([^.]+?), and reads/ms.exec(page) ?? [];
  const everywhere = [...shared.matchAll(/`(-[\w-]+)`/g)].map(([, flag]) => flag!);

  test("names every flag that there is, and none that there is not", async () => {
    const found: string[] = [];
    for (const command of there) {
      const { out } = await nomad(...command.split(" "), "-help");
      const flags = [...out.matchAll(/^ {2}(-[\w-]+)/gm)].map(([, flag]) => flag!);
      for (const flag of everywhere) expect(flags, `${command} ${flag}`).toContain(flag);
      found.push(...flags.filter((flag) => !everywhere.includes(flag)).map((flag) => `${command} ${flag}`));
    }
    const said = rows.filter(({ status }) => status !== "absent");
    expect(said.map(({ command, flag }) => `${command} ${flag}`).sort()).toEqual(found.sort());
  });

  test("says absent only of what is refused", async () => {
    for (const { command, flag, status } of rows) {
      if (status !== "absent") continue;
      const { code, err } = await nomad(...command.split(" "), `${flag}=x`);
      expect({ command, flag, refused: code !== 0 && err.includes(`not defined: ${flag}`) }).toMatchObject({
        refused: true,
      });
    }
  });
});
