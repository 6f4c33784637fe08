import { createInterface } from "node:readline";
import { type Diagnosed, hasErrors } from "@millwright/core/diagnostics";
import type { Console } from "@millwright/engine/console";
import { consoleOf, openConsole } from "@millwright/engine/console";
import { Evaluator } from "@millwright/engine/evaluator";
import { makePlan, type PlanInput } from "@millwright/engine/make-plan";
import { collectVariables } from "@millwright/engine/variables";
import { formatConsoleResult } from "@millwright/functions/console-format";
import { parseExpression } from "@millwright/hcl/parse";
import { sourceFile } from "@millwright/hcl/source-file";
import type { CommandIo } from "../io.ts";
import { renderDiagnostics } from "../views/diagnostics.ts";
import { isInteractive } from "./ask.ts";
import { runCommand } from "./command.ts";
import { loadFolder } from "./folder.ts";
import { variableSources } from "./variable-sources.ts";
import { readState } from "./open-state.ts";
import { stateFlags, variableFlags } from "./options.ts";
import { newPool, evaluatorContext, runPorts } from "./run-context.ts";
import type { CommandStyle, Session } from "./session.ts";

export function runConsole(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: {
        ...variableFlags,
        state: stateFlags.state,
        plan: { kind: "bool", help: "Make a plan first, and answer from what it would bring about." },
      },
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
          const known = { context, given: variables.value.given, state: state.kept.current.state, pool };
          const { value: opened, diagnostics } = await (values.plan
            ? openPlanned(session, known)
            : openConsole(context, known.state, pool));
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
            if (text.trim() === "help") {
              await session.io.stdout(helpText);
              text = "";
            } else if (text.trim() !== "" && !isUnfinished(text)) {
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

const helpText = `Type an expression, such as var.name or upper("a"), and Enter, to see its value.
Variables, locals, the state's objects and all functions are there. What has an
open bracket or a heredoc goes on in the next line. "exit" ends the console.
`;

/** A console that answers from a plan: what is known before an apply is there, all else is unknown. */
async function openPlanned(
  session: Session,
  known: Pick<PlanInput, "context" | "given" | "state" | "pool">,
): Promise<Diagnosed<Console>> {
  const { evaluator, diagnostics } = await makePlan({
    ...known,
    interrupted: [],
    lineage: "",
    serial: 0,
    options: { mode: "normal", refresh: true, targets: [], forceReplace: [] },
    ports: runPorts(session, () => undefined),
    parallelism: 10,
    timestamp: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
  });
  return { value: consoleOf(evaluator ?? new Evaluator(known.context), known.pool), diagnostics };
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
  // A heredoc ends with a line of its own.
  const file = sourceFile("<console-input>", text.includes("<<") ? `${text}\n` : text);
  const parsed = parseExpression(file);
  const found = [...parsed.diagnostics];
  let shown = "";
  if (!hasErrors(found)) {
    const result = await opened.evaluate(parsed.value);
    const formatted = formatConsoleResult(result.value);
    found.push(...result.diagnostics, ...(hasErrors(result.diagnostics) ? [] : formatted.diagnostics));
    shown = formatted.value;
  }
  if (found.length > 0) {
    const sources = (filename: string) => (filename === file.name ? text : session.sources(filename));
    await session.io.stderr(renderDiagnostics(found, session.view, sources, false));
  }
  if (hasErrors(found)) return false;
  await session.io.stdout(`${shown}\n`);
  return true;
}
