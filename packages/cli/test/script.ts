import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CommandOutcome } from "./kv-io.ts";

/**
 * A script in the form that Go's own tools are tested with (testscript over txtar): a comment that says what is shown, lines
 * of commands, then the files they work in, each behind a line `-- NAME --`.
 *
 * - `run ARGS` must exit with 0, `! run ARGS` with 1, `exit N run ARGS` with N.
 * - `stdout RE`, `stderr RE` look at what the last command wrote (`! stdout RE`: nothing of the kind), on all lines at once.
 * - `file NAME RE` and `! file NAME RE` look into a file; `exists NAME`, `! exists NAME`.
 * - `cp FROM TO`, `rm NAME`, `mkdir NAME`, `env NAME=VALUE`.
 *
 * Words may stand in single quotes. A script whose first comment begins with `portable:` gives the same with the real terraform
 * and tofu, one with `terraform:` or `tofu:` with that one alone; a line behind `[tofu]` is for the real tofu alone, and one
 * behind `[!tofu]` for everybody else.
 */
export interface Script {
  readonly name: string;
  readonly comment: string;
  readonly lines: readonly ScriptLine[];
  readonly files: Readonly<Record<string, string>>;
}

export interface ScriptLine {
  readonly number: number;
  readonly text: string;
  readonly words: readonly string[];
  /** Whether it is for the real tofu alone, or for all but that. */
  readonly condition?: "tofu" | "!tofu";
}

/** Where a script's commands are carried out. */
export interface ScriptStage {
  /** The folder that the script's files were written to. */
  readonly folder: string;
  /** Whether the real tofu carries it out. */
  readonly isTofu?: boolean;
  run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<CommandOutcome>;
}

/** Reads a script; throws for a line that has no meaning. */
export function readScript(name: string, text: string): Script {
  const files: Record<string, string> = {};
  const [head = "", ...rest] = text.split(/^-- (\S+) --\n/m);
  for (let at = 0; at < rest.length; at += 2) files[rest[at]!] = rest[at + 1] ?? "";
  const rows = head.split("\n").map((row, index) => ({ number: index + 1, text: row.trim() }));
  const comment = rows.filter((row) => row.text.startsWith("#")).map((row) => row.text.slice(1).trim());
  const lines = rows
    .filter((row) => row.text !== "" && !row.text.startsWith("#"))
    .map((row) => {
      const [, condition, words = row.text] = /^\[(!?tofu)\] (.*)$/.exec(row.text) ?? [];
      return { ...row, words: wordsOf(words), ...(condition && { condition: condition as "tofu" | "!tofu" }) };
    });
  return { name, comment: comment.join(" "), lines, files };
}

/** Carries a script out; throws at the first line that does not hold, with what the last command wrote. */
export async function playScript(script: Script, stage: ScriptStage): Promise<void> {
  const progress: Progress = { env: {}, last: { code: 0, out: "", err: "" } };
  const skipped = stage.isTofu ? "!tofu" : "tofu";
  for (const line of script.lines.filter(({ condition }) => condition !== skipped)) {
    const wrong = await wrongWith(line, progress, stage);
    if (wrong === undefined) continue;
    const { out, err } = progress.last;
    throw new Error(`${script.name}:${line.number}: ${line.text}\n${wrong}\n--- stdout\n${out}--- stderr\n${err}`);
  }
}

interface Progress {
  readonly env: Record<string, string>;
  last: CommandOutcome;
}

/** What does not hold in a line; undefined where all does. */
async function wrongWith(line: ScriptLine, progress: Progress, stage: ScriptStage): Promise<string | undefined> {
  const negated = line.words[0] === "!";
  const [word = "", ...args] = negated ? line.words.slice(1) : line.words;
  if (word === "run" || word === "exit") {
    const want = word === "exit" ? Number(args[0]) : negated ? 1 : 0;
    progress.last = await stage.run(word === "exit" ? args.slice(2) : args, progress.env);
    return progress.last.code === want ? undefined : `exit code ${progress.last.code}, not ${want}`;
  }
  if (word === "stdout" || word === "stderr" || word === "file") {
    const { out, err } = progress.last;
    const text = word === "stdout" ? out : word === "stderr" ? err : stageFile(stage, args[0]!);
    if (new RegExp(args.at(-1)!, "m").test(text) !== negated) return;
    return negated ? "is there" : `is not there, in\n${text}`;
  }
  if (word === "exists") {
    if (existsSync(join(stage.folder, args[0]!)) === negated) return negated ? "is there" : "is not there";
  } else if (word === "env") {
    const [name = "", ...value] = args.join(" ").split("=");
    progress.env[name] = value.join("=");
  } else if (!changeFiles(stage.folder, word, args)) return "not a command of scripts";
  return;
}

function stageFile({ folder }: ScriptStage, name: string): string {
  const path = join(folder, name);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

function changeFiles(folder: string, word: string, args: readonly string[]): boolean {
  const [from = "", to = ""] = args.map((name) => join(folder, name));
  if (word === "cp") {
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(from, to);
  } else if (word === "rm") rmSync(from, { recursive: true, force: true });
  else if (word === "mkdir") mkdirSync(from, { recursive: true });
  else return false;
  return true;
}

function wordsOf(text: string): string[] {
  return [...text.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}
