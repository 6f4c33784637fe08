import { createInterface } from "node:readline";
import { hasErrors } from "@millwright/core/diagnostics";
import type { Console } from "@millwright/engine/console";
import { openConsole } from "@millwright/engine/console";
import { collectVariables } from "@millwright/engine/variables";
import { formatConsoleValue } from "@millwright/functions/console-format";
import { parseExpression } from "@millwright/hcl/parse";
import { sourceFile } from "@millwright/hcl/source-file";
import type { CommandIo } from "../io.ts";
import { renderDiagnostics } from "../views/diagnostics.ts";
import { isInteractive } from "./ask.ts";
import { runCommand } from "./command.ts";
import { loadFolder, variableSources } from "./folder.ts";
import { readState } from "./open-state.ts";
import { stateFlags, variableFlags } from "./options.ts";
import { newPool, evaluatorContext } from "./run-context.ts";
import type { CommandStyle, Session } from "./session.ts";

export function runConsole(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: { ...variableFlags, state: stateFlags.state },
      usage: "console [flags]",
      about:
        "Evaluates expressions, a line each, with the folder's variables, locals and state.\nReads standard input where that is no terminal.",
      example: "console -var name=web",
      arguments: [0, 0],
      run: async ({ session, values, occurrences }) => {
        const folder = await loadFolder(session, occurrences);
        const given = variableSources(session, occurrences);
        const variables = collectVariables(folder.configuration.root, given.sources);
        const state = await readState(session, values.state);
        if (!(await session.report([...folder.diagnostics, ...given.diagnostics])) || !state) return 1;
        const pool = await newPool(session);
        try {
          const context = evaluatorContext(session, {
            configuration: folder.configuration,
            variables: variables.value.final,
            applying: false,
            use: "console",
          });
          const { value: opened, diagnostics } = await openConsole(context, state.kept.current.state, pool);
          if (!(await session.report(diagnostics))) return 1;
          const interactive = isInteractive(io);
          const lines = createInterface({
            input: io.stdin,
            terminal: interactive,
            ...(interactive ? { output: process.stdout, prompt: "> " } : {}),
          });
          if (interactive) lines.prompt();
          let code = 0;
          let text = "";
          for await (const line of lines) {
            text = text === "" ? line : `${text}\n${line}`;
            if (text.trim() === "exit") break;
            if (text.trim() !== "" && !isUnfinished(text)) {
              const ok = await answer(session, opened, text);
              text = "";
              if (!ok) code = 1;
              if (!ok && !interactive) break;
            } else if (text.trim() === "") text = "";
            if (interactive) lines.prompt();
          }
          if (text.trim() !== "" && text.trim() !== "exit" && !(await answer(session, opened, text))) code = 1;
          return interactive ? 0 : code;
        } finally {
          await pool.close();
        }
      },
    },
    args,
    io,
    style,
  );
}

// More brackets opened than closed: the expression goes on in the next line.
function isUnfinished(text: string): boolean {
  const bare = text.replace(/"(?:[^"\\]|\\.)*"/g, "").replace(/(#|\/\/).*$/gm, "");
  const opened = (bare.match(/[([{]/g) ?? []).length;
  const closed = (bare.match(/[)\]}]/g) ?? []).length;
  return opened > closed || (/<<-?\w+/.test(bare) && !isHeredocClosed(text));
}

function isHeredocClosed(text: string): boolean {
  const marker = /<<-?(\w+)/.exec(text)?.[1];
  return (
    marker !== undefined &&
    text
      .split("\n")
      .slice(1)
      .some((line) => line.trim().startsWith(marker))
  );
}

async function answer(session: Session, opened: Console, text: string): Promise<boolean> {
  const parsed = parseExpression(sourceFile("<console-input>", text));
  const result = hasErrors(parsed.diagnostics) ? parsed : await opened.evaluate(parsed.value);
  const diagnostics = parsed === result ? parsed.diagnostics : [...parsed.diagnostics, ...result.diagnostics];
  if (diagnostics.length > 0) {
    const sources = (filename: string) => (filename === "<console-input>" ? text : session.sources(filename));
    await session.io.stderr(renderDiagnostics(diagnostics, session.view, sources, false));
  }
  if (hasErrors(diagnostics) || !("type" in result.value)) return false;
  await session.io.stdout(`${formatConsoleValue(result.value)}\n`);
  return true;
}
