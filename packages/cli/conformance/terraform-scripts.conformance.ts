import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { devNull } from "node:os";
import { describe, test } from "vitest";
import { TestFolder } from "../test/folder.ts";
import type { CommandOutcome } from "../test/kv-io.ts";
import { playScript, readScript } from "../test/script.ts";
import { serveProviders } from "./served-providers.ts";

const place = new URL("../test/scripts/", import.meta.url);
const environment = { CHECKPOINT_DISABLE: "1", TF_CLI_CONFIG_FILE: devNull, TF_IN_AUTOMATION: "", NO_COLOR: "1" };
const found = spawnSync("terraform", ["version"], { env: { ...process.env, ...environment } }).status === 0;

/** Runs a line of the real tool. */
function terraform(folder: string, args: readonly string[], env: Readonly<Record<string, string>>): CommandOutcome {
  const around = { ...process.env, ...environment, ...env };
  const line = colourless.has(args[0]!) ? [args[0]!, "-no-color", ...args.slice(1)] : args;
  const { status, stdout, stderr } = spawnSync("terraform", line, { cwd: folder, env: around, encoding: "utf8" });
  return { code: status ?? 128, out: stdout, err: stderr };
}

const colourless = new Set(["init", "plan", "apply", "destroy", "refresh", "show", "output", "validate", "test"]);

describe.runIf(found)("the real terraform gives the same for the portable scripts", () => {
  for (const name of readdirSync(place).filter((file) => file.endsWith(".txtar"))) {
    const script = readScript(name, readFileSync(new URL(name, place), "utf8"));
    if (!script.comment.startsWith("portable")) continue;
    test(`${name}: ${script.comment}`, async () => {
      const folder = new TestFolder(script.files);
      const served = new TestFolder();
      try {
        const settings = await serveProviders(script.files, served);
        const run = async (args: readonly string[], env: Readonly<Record<string, string>>) =>
          terraform(folder.path, args, { TF_CLI_CONFIG_FILE: settings, ...env });
        await playScript(script, { folder: folder.path, run });
      } finally {
        folder.remove();
        served.remove();
      }
    });
  }
});
