import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The arguments of a subcommand with those that the environment adds: `TF_CLI_ARGS` and, behind it, `TF_CLI_ARGS_NAME`
 * (`TF_CLI_ARGS_state_list` for a subcommand of two words). They stand before what was typed, so that this wins.
 */
export function withEnvironmentArguments(
  name: string,
  args: readonly string[],
  env: Environment,
): EnvironmentArguments {
  const nested = nestedNames.has(name) && args[0] !== undefined && /^[a-z]/.test(args[0]) ? args[0] : undefined;
  const words = nested === undefined ? name : `${name}_${nested}`;
  const added: string[] = [];
  for (const variable of ["TF_CLI_ARGS", `TF_CLI_ARGS_${words.replaceAll("-", "_")}`]) {
    const split = splitWords(env[variable] ?? "");
    if (!split) {
      const detail = `The environment variable ${variable} holds ${JSON.stringify(env[variable])}, in which a quotation mark is not closed.`;
      return { kind: "mistake", diagnostic: errorDiagnostic(`Invalid ${variable}`, detail) };
    }
    added.push(...split);
  }
  const rest = nested === undefined ? args : args.slice(1);
  return { kind: "arguments", args: [...(nested === undefined ? [] : [nested]), ...added, ...rest] };
}

const nestedNames: ReadonlySet<string> = new Set(["state", "providers", "workspace"]);

export type EnvironmentArguments =
  | { readonly kind: "arguments"; readonly args: readonly string[] }
  | { readonly kind: "mistake"; readonly diagnostic: Diagnostic };

/** A text cut into words as a shell cuts it, quotes and backslashes taken off; undefined where a quote is not closed. */
export function splitWords(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quote !== undefined) {
      if (c === quote) quote = undefined;
      else if (c === "\\" && quote === '"' && /["\\$`]/.test(text[i + 1] ?? "")) word += text[++i]!;
      else word += c;
    } else if (c === "'" || c === '"') {
      quote = c;
      word ??= "";
    } else if (c === "\\" && i + 1 < text.length) word = (word ?? "") + text[++i]!;
    else if (/\s/.test(c)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + c;
  }
  if (quote !== undefined) return undefined;
  return word === undefined ? words : [...words, word];
}
