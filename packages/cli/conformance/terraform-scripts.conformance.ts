import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "vitest";
import { TestFolder } from "../test/folder.ts";
import { playScript, readScript } from "../test/script.ts";
import { type RealTool, realTools } from "./real-tools.ts";
import { serveProviders } from "./served-providers.ts";

const place = new URL("../test/scripts/", import.meta.url);
const scripts = readdirSync(place)
  .filter((file) => file.endsWith(".txtar"))
  .map((name) => readScript(name, readFileSync(new URL(name, place), "utf8")));

const colourless = new Set(["init", "plan", "apply", "destroy", "refresh", "show", "output", "validate", "test"]);

/** Runs a line of a script as the real tool takes it: it colours what it writes unless it is told not to. */
function outcomeOf(tool: RealTool, folder: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  const line = colourless.has(args[0]!) ? [args[0]!, "-no-color", ...args.slice(1)] : args;
  return tool.run(folder, line, { TF_IN_AUTOMATION: "", ...env });
}

for (const tool of realTools) {
  const marks = [`${tool.name}:`, "portable:"];
  describe.runIf(tool.found)(`the real ${tool.name} gives the same`, () => {
    for (const script of scripts.filter(({ comment }) => marks.some((mark) => comment.startsWith(mark)))) {
      test(`${script.name}: ${script.comment}`, async () => {
        const folder = new TestFolder(script.files);
        const served = new TestFolder();
        try {
          const settings = await serveProviders(script.files, served);
          await playScript(script, {
            folder: folder.path,
            isTofu: tool.name === "tofu",
            run: async (args, env) => outcomeOf(tool, folder.path, args, { TF_CLI_CONFIG_FILE: settings, ...env }),
          });
        } finally {
          folder.remove();
          served.remove();
        }
      });
    }
  });
}
