import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parsePlain } from "@millwright/value/plain-json";

/** A folder in which the real terraform works, with nothing but what it has built in. */
export class RealTerraform {
  readonly #folder = mkdtempSync(join(tmpdir(), "millwright-terraform-"));

  constructor() {
    writeFileSync(join(this.#folder, "empty.tfrc"), "");
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.#folder, name), text);
  }

  /** A JSON file, no digit of its numbers lost. */
  readJson(name: string): unknown {
    return parsePlain(readFileSync(join(this.#folder, name), "utf8"));
  }

  /** What it writes; throws with what it says where its exit code is none of `codes`. */
  run(args: readonly string[], codes: readonly number[] = [0]): { readonly code: number; readonly output: string } {
    const env = { ...process.env, TF_CLI_CONFIG_FILE: join(this.#folder, "empty.tfrc"), TF_IN_AUTOMATION: "1" };
    const { status, stdout, stderr } = spawnSync("terraform", args, {
      cwd: this.#folder,
      encoding: "utf8",
      env,
      maxBuffer: 1 << 26,
    });
    if (status === null || !codes.includes(status))
      throw new Error(`terraform ${args.join(" ")}: ${stderr || stdout || "not found on the PATH"}`);
    return { code: status, output: stdout };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
