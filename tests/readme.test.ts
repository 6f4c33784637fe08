import { Semaphore } from "@millwright/core/concurrency";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root, runCommand, type ServerProcess, startServerProcess } from "./support/commands.ts";
import { type CommandLine, commandLines, isAsShown, readPages, stepsOf } from "./support/pages.ts";

/*
 * What the pages tell people to type. A fenced block that begins with
 *
 *   ```sh run    is carried out. The blocks of a page follow one another in one shell, which ends at the first failure, in a
 *                fresh folder that has `packages` and `examples` of this repository; `millwright`, `terraform` and `consul` are
 *                this program, and CONSUL_HTTP_ADDR names a server of its own. Where lines begin with "$ ", those are the
 *                commands, and the lines below one are what it prints; "..." stands for anything, alone on a line for any lines.
 *   ```sh        is only read: every command, flag and npm script in it has to be there.
 *
 * Commands in the prose, such as `millwright plan`, and in `console` blocks are read too; what those sessions print is held by
 * packages/cli/test/docs.test.ts.
 */

const pages = readPages();
const launcher = join(root, "packages/cli/bin/millwright");

let folder: string;
let bin: string;
let server: ServerProcess;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "millwright-pages-"));
  bin = join(folder, "bin");
  mkdirSync(bin);
  for (const name of ["millwright", "terraform", "consul"]) symlinkSync(launcher, join(bin, name));
  server = await startServerProcess(launcher, ["-dev"], { cwd: folder });
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe("carried out", () => {
  const running = pages
    .map(({ path, blocks }) => ({ path, blocks: blocks.filter(({ runs }) => runs) }))
    .filter(({ blocks }) => blocks.length > 0);

  test("there are such pages, the README among them", () => {
    expect(running.map(({ path }) => path)).toContain("README.md");
  });

  test.each(running)("$path", async ({ path, blocks }) => {
    const work = mkdtempSync(join(folder, "page-"));
    for (const name of ["packages", "examples"]) symlinkSync(join(root, name), join(work, name));
    const output = mkdtempSync(join(folder, "output-"));
    const steps = blocks.flatMap((block) => stepsOf(block).map((step) => ({ ...step, place: block.place })));
    const script = steps.map(({ text }, at) => `exec >${join(output, String(at))} 2>&1\n${text}\n`).join("");
    const printed = (at: number) => readFileSync(join(output, String(at)), "utf8");
    writeFileSync(join(output, "script"), script);
    const { PATH } = process.env;
    const env = {
      PATH: `${bin}:${PATH}`,
      HOME: work,
      CONSUL_HTTP_ADDR: server.address,
      TF_CLI_CONFIG_FILE: "/dev/null",
    };
    const { code } = await runCommand("bash", ["-e", join(output, "script")], { cwd: work, env });
    const reached = steps.findLastIndex((_, at) => hasOutput(output, at));
    expect(
      code,
      `${path}, ${steps[reached]?.place}: ${steps[reached]?.text}\n${code === 0 ? "" : printed(reached)}`,
    ).toBe(0);
    for (const [at, { text, output: shown, place }] of steps.entries())
      if (shown && shown.length > 0 && !isAsShown(printed(at), shown))
        expect.fail(`${place}: "${text}" prints something else than\n${shown.join("\n")}\n\nIt prints\n${printed(at)}`);
  });
});

function hasOutput(output: string, at: number): boolean {
  try {
    return readFileSync(join(output, String(at))).length >= 0;
  } catch {
    return false;
  }
}

describe("read", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  const lines = pages.flatMap(({ path, blocks, named }) => [
    ...blocks.flatMap((block) =>
      stepsOf(block).flatMap(({ text }) =>
        commandLines(text, ["millwright", "npm"]).map((line) => ({ place: block.place, line })),
      ),
    ),
    ...named.flatMap((text) => commandLines(text, ["millwright"]).map((line) => ({ place: path, line }))),
  ]);

  test("every npm script that is named is there", () => {
    const wrong = lines
      .filter(({ line }) => line.program === "npm" && ["start", "test", "run"].includes(line.words[0] ?? ""))
      .map(({ place, line }) => ({ place, script: line.words[0] === "run" ? line.words[1]! : line.words[0]! }))
      .filter(({ script }) => !Object.hasOwn(scripts, script));
    expect(wrong).toEqual([]);
  });

  test("every command and every flag that is named is there", async () => {
    const ours = lines.filter(({ line }) => line.program === "millwright");
    const two = new Semaphore(2);
    const wrong = await Promise.all(
      ours.map(({ place, line }) =>
        two.run(async () =>
          (await faultsOf(line)).map((fault) => `${place}: millwright ${line.words.join(" ")}: ${fault}`),
        ),
      ),
    );
    expect(wrong.flat()).toEqual([]);
  }, 120_000);

  // A line that is carried out in place of its help reaches no server.
  const nobodyThere = { ...process.env, CONSUL_HTTP_ADDR: "127.0.0.1:1", VAULT_ADDR: "http://127.0.0.1:1" };
  const helps = new Map<string, Promise<{ readonly code: number; readonly out: string }>>();

  async function faultsOf({ words, flags }: Pick<CommandLine, "words" | "flags">): Promise<readonly string[]> {
    const key = words.join(" ");
    const help = helps.get(key) ?? runCommand(launcher, [...words, "--help"], { cwd: folder, env: nobodyThere });
    helps.set(key, help);
    const { code, out } = await help;
    const usage = /^Usage: (\S+) (\S+)/m.exec(out);
    const isKnown = code === 0 && (words.length === 0 || usage?.[2] === words[0] || usage?.[1] === words[0]);
    // What stands behind the words of some commands is another program's line, which takes its own flags.
    if (!isKnown && words.length > 1) return faultsOf({ words: words.slice(0, 1), flags });
    if (!isKnown) return ["is no command"];
    const said = new Set([...out.matchAll(/(?<![\w-])--?([a-z][a-z-]*)/g)].map(([, name]) => name!));
    // Where a folder lists instances, every command takes -instance; the folder here lists none.
    return flags
      .filter((flag) => !["help", "version", "instance"].includes(flag) && !said.has(flag))
      .map((flag) => `-${flag} is none of its flags`);
  }
});

describe("the reader of pages", () => {
  const cases = [
    { name: "the same text", text: "a\nb\n", shown: ["a", "b"], want: true },
    { name: "another text", text: "a\nc\n", shown: ["a", "b"], want: false },
    { name: "more than is shown", text: "a\nb\nc\n", shown: ["a", "b"], want: false },
    { name: "lines left out", text: "a\nx\ny\nb\n", shown: ["a", "...", "b"], want: true },
    { name: "no line where some may be left out", text: "a\nb\n", shown: ["a", "...", "b"], want: true },
    { name: "words left out", text: "took 3s (ok)\n", shown: ["took ... (ok)"], want: true },
    { name: "a pattern's letters are letters", text: "abc\n", shown: ["a.c"], want: false },
  ];
  test.each(cases)("compares with what is shown: $name", ({ text, shown, want }) => {
    expect(isAsShown(text, shown)).toBe(want);
  });

  test("finds commands in a shell's text", () => {
    const text =
      "A=1 millwright plan -out=x  # -not\ncat > f <<'EOF'\nmillwright no\nEOF\ncd a && millwright kv \\\n  put -cas k 'a b' | cat";
    expect(commandLines(text, ["millwright"])).toEqual([
      { program: "millwright", words: ["plan"], flags: ["out"] },
      { program: "millwright", words: ["kv", "put", "k", "'a b'"], flags: ["cas"] },
    ]);
  });
});
