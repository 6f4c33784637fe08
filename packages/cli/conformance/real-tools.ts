import { spawnSync } from "node:child_process";
import { devNull } from "node:os";
import type { CommandOutcome } from "../test/kv-io.ts";

/** A program of somebody else that takes Terraform's command line. */
export interface RealTool {
  readonly name: "terraform" | "tofu";
  /** Where providers come from whose source says no host. */
  readonly registry: string;
  /** Whether it is on the PATH; where it is not, what would be held to it is left out. */
  readonly found: boolean;
  /** Runs a line in a folder; nothing of the user's own settings holds there but what `env` says. */
  run(folder: string, args: readonly string[], env?: Readonly<Record<string, string>>): CommandOutcome;
}

const environment = { CHECKPOINT_DISABLE: "1", TF_CLI_CONFIG_FILE: devNull, TF_IN_AUTOMATION: "1", NO_COLOR: "1" };

function realTool(name: RealTool["name"], registry: string): RealTool {
  const run: RealTool["run"] = (cwd, args, env = {}) => {
    const around = { ...process.env, ...environment, ...env };
    const { status, stdout, stderr } = spawnSync(name, args, { cwd, env: around, encoding: "utf8" });
    return { code: status ?? 128, out: stdout ?? "", err: stderr ?? "" };
  };
  return { name, registry, found: run(".", ["version"]).code === 0, run };
}

export const terraform = realTool("terraform", "registry.terraform.io");
export const tofu = realTool("tofu", "registry.opentofu.org");
export const realTools: readonly RealTool[] = [terraform, tofu];
