import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorAnswer, valueAnswer } from "./console-cases.ts";

/** The console of a real tool, in a copy of a module's folder: one for questions one after another, as it locks the state. */
export interface TerraformConsole {
  /** What it prints for the expression, as the lines of a case's answer. */
  answer(expression: string): Promise<string[]>;
  close(): void;
}

/** The series of which each tool has to be. */
const versions = { terraform: /"terraform_version": "1\.11\./, tofu: /"terraform_version": "1\.12\./ };

/** Undefined where there is no `terraform` of the 1.11 series, or no `tofu` of the 1.12 series, on the PATH. */
export async function openTerraformConsole(
  moduleFolder: string,
  program: "terraform" | "tofu" = "terraform",
): Promise<TerraformConsole | undefined> {
  const version = await run(program, ["version", "-json"], "", tmpdir(), process.env);
  if (version.code !== 0 || !versions[program].test(version.stdout)) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "millwright-console-"));
  cpSync(moduleFolder, folder, { recursive: true });
  const configuration = join(folder, ".terraformrc");
  writeFileSync(configuration, "");
  const env = { ...process.env, TF_CLI_CONFIG_FILE: configuration, CHECKPOINT_DISABLE: "1", HOME: "/home/someone" };
  const init = await run(program, ["init", "-no-color", "-input=false"], "", folder, env);
  if (init.code !== 0) throw new Error(`${program} init failed: ${init.stderr}`);
  return {
    async answer(expression) {
      const result = await run(program, ["console", "-no-color"], `${expression}\n`, folder, env);
      const answer = result.code === 0 ? valueAnswer(result.stdout.replace(/\n+$/, "")) : errorLines(result.stderr);
      return answer.map((line) => line.replaceAll(folder, "{module}"));
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/**
 * Each diagnostic is `Error: SUMMARY`, a place in the source, and the detail, in paragraphs. Where the reference panics, its
 * stack is of no interest, nor are the insides of an object that it shows by mistake.
 */
function errorLines(stderr: string): string[] {
  const sober = stderr.replace(/\s+goroutine 1 \[running\][^]*/, "\n").replace(/&[{[][^]*%!t\([^]*/, "&…\n");
  const diagnostics = sober.split(/^Error: /m).slice(1);
  return diagnostics.flatMap((text) => {
    const [summary = "", ...paragraphs] = text.split(/\n\n/);
    const detail = paragraphs.filter((p) => !/^ {2}(on|with) /.test(p));
    return errorAnswer(summary, detail.join("\n\n"));
  });
}

interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: string[], stdin: string, cwd: string, env: NodeJS.ProcessEnv): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = execFile(command, args, { cwd, env, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      resolve({ code: error ? (typeof error.code === "number" ? error.code : 127) : 0, stdout, stderr });
    });
    // A command that could not be started has no one to read its input.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(stdin);
  });
}
