import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { runTerraform } from "../src/terraform/main.ts";
import type { CommandStyle } from "../src/terraform/session.ts";
import { type CommandOutcome, type CommandSetting, outcomeOf } from "./kv-io.ts";

/** A folder of its own on disk, in which commands are run within this process. */
export class TestFolder {
  readonly path: string;

  constructor(files: Readonly<Record<string, string>> = {}) {
    this.path = mkdtempSync(join(tmpdir(), "millwright-cli-"));
    this.write(files);
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.path, name)), { recursive: true });
      writeFileSync(join(this.path, name), text);
    }
  }

  read(name: string): string {
    return readFileSync(join(this.path, name), "utf8");
  }

  /** Every file with what is in it; the little files of the lock, and the history of runs, are left out. */
  everything(): Readonly<Record<string, string>> {
    const names = readdirSync(this.path, { recursive: true, encoding: "utf8" }).sort();
    const files = names.filter(
      (name) => statSync(join(this.path, name)).isFile() && !/\.lock(\.info)?$|^\.millwright\/history\//.test(name),
    );
    return Object.fromEntries(
      files.map((name) => [relative(".", name), readFileSync(join(this.path, name), "base64")]),
    );
  }

  /** Runs one line of the command line. */
  run(
    args: readonly string[],
    setting: CommandSetting = {},
    style: CommandStyle = "millwright",
  ): Promise<CommandOutcome> {
    return outcomeOf((io) => runTerraform(args, io, style), { cwd: this.path, ...setting });
  }

  /** Runs a line that must succeed, for setting a scene. */
  async must(...args: readonly string[]): Promise<CommandOutcome> {
    const outcome = await this.run(args);
    if (outcome.code !== 0) throw new Error(`${args.join(" ")} failed:\n${outcome.out}${outcome.err}`);
    return outcome;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
