import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { hasErrors } from "@millwright/core/diagnostics";
import { formatFile } from "@millwright/hcl/format-file";
import type { CommandIo } from "../io.ts";
import { alignSequences } from "../views/sequences.ts";
import { runCommand } from "./command.ts";
import { onUnlessGiven, viewFlags } from "./options.ts";
import type { CommandStyle, Session } from "./session.ts";

export function runFmt(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: {
        list: {
          kind: "bool",
          help: "Whether to print the names of files that are not in the standard form (default true).",
        },
        write: { kind: "bool", help: "Whether to write files (default true; not with -check or standard input)." },
        diff: { kind: "bool", help: "Print what changes." },
        check: { kind: "bool", help: "Only look: exit with 3 when a file is not in the standard form." },
        recursive: { kind: "bool", help: "Format subfolders too." },
        "no-color": viewFlags["no-color"],
      },
      usage: "fmt [flags] [TARGET...]",
      about:
        "Lays configuration files out in the standard form and prints the names of those\nthat it changed. A target is a folder, a file, or - for standard input.",
      example: "fmt -recursive -check",
      arguments: [0, 1000],
      run: async ({ session, values, occurrences, args: targets }) => {
        const options: FmtOptions = {
          list: onUnlessGiven(occurrences, "list") && !targets.includes("-"),
          write: onUnlessGiven(occurrences, "write") && !values.check && !targets.includes("-"),
          diff: values.diff,
          recursive: values.recursive,
        };
        if (targets.includes("-")) return formatInput(session, values.check);
        const files: string[] = [];
        for (const target of targets.length === 0 ? ["."] : targets) {
          const path = resolve(session.folder, target);
          const stat = statSync(path, { throwIfNoEntry: false });
          if (!stat) {
            await session.report([
              {
                severity: "error",
                summary: "No file or directory at " + target,
                detail: `There is nothing at ${path}.`,
              },
            ]);
            return 2;
          }
          if (stat.isDirectory()) files.push(...filesIn(path, options.recursive));
          else if (isFormattable(path)) files.push(path);
          else {
            await session.report([
              {
                severity: "error",
                summary: "Only .tf, .tfvars, .tftest.hcl and .tofu files can be processed with fmt",
                detail: `${target} is none of these.`,
              },
            ]);
            return 2;
          }
        }
        return formatFiles(session, files, options, values.check);
      },
    },
    args,
    io,
    style,
  );
}

interface FmtOptions {
  readonly list: boolean;
  readonly write: boolean;
  readonly diff: boolean;
  readonly recursive: boolean;
}

function isFormattable(path: string): boolean {
  return /\.(tf|tofu|tfvars|tftest\.hcl|tofutest\.hcl|tfquery\.hcl)$/.test(path);
}

function filesIn(folder: string, recursive: boolean): string[] {
  const files: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (recursive) files.push(...filesIn(path, recursive));
    } else if (isFormattable(entry.name)) files.push(path);
  }
  return files;
}

async function formatFiles(
  session: Session,
  files: readonly string[],
  options: FmtOptions,
  check: boolean,
): Promise<number> {
  let changed = false;
  let failed = false;
  for (const path of files) {
    const name = relative(session.folder, path);
    const source = readFileSync(path);
    const { value, diagnostics } = formatFile(name, source);
    if (hasErrors(diagnostics)) {
      await session.report(diagnostics);
      failed = true;
      continue;
    }
    if (Buffer.compare(source, value) === 0) continue;
    changed = true;
    if (options.write) writeFileSync(path, value);
    if (options.list) await session.io.stdout(`${name}\n`);
    if (options.diff)
      await session.io.stdout(unifiedDiff(name, source.toString("utf8"), Buffer.from(value).toString("utf8")));
  }
  if (failed) return 2;
  return check && changed ? 3 : 0;
}

async function formatInput(session: Session, check: boolean): Promise<number> {
  const chunks: Buffer[] = [];
  for await (const chunk of session.io.stdin) chunks.push(Buffer.from(chunk as Uint8Array));
  const source = Buffer.concat(chunks);
  const { value, diagnostics } = formatFile("<stdin>", source);
  if (!(await session.report(diagnostics))) return 2;
  if (!check) await session.io.stdout(value);
  return check && Buffer.compare(source, value) !== 0 ? 3 : 0;
}

/** The changed stretches of a text with three lines around each, as `diff -u` prints them. */
function unifiedDiff(name: string, before: string, after: string): string {
  const old = before.replace(/\n$/, "").split("\n");
  const next = after.replace(/\n$/, "").split("\n");
  const rows = alignSequences(old, next, (a, b) => a === b, false);
  const changed = rows.map(({ from, to }) => from === undefined || to === undefined);
  const shown = rows.map((_, i) => changed.slice(Math.max(0, i - 3), i + 4).includes(true));
  const lines = [`--- old/${name}`, `+++ new/${name}`];
  for (let i = 0; i < rows.length; i++) {
    if (!shown[i]) continue;
    let end = i;
    while (end < rows.length && shown[end]) end++;
    const hunk = rows.slice(i, end);
    const [from, to] = [hunk.filter((row) => row.from !== undefined), hunk.filter((row) => row.to !== undefined)];
    lines.push(`@@ -${(from[0]?.from ?? 0) + 1},${from.length} +${(to[0]?.to ?? 0) + 1},${to.length} @@`);
    for (const row of hunk) {
      if (row.from !== undefined && row.to !== undefined) lines.push(` ${old[row.from]}`);
      else lines.push(row.from === undefined ? `+${next[row.to!]}` : `-${old[row.from]}`);
    }
    i = end;
  }
  return `${lines.join("\n")}\n`;
}
