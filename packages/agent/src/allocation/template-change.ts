import type { Template } from "@millwright/jobs/task";
import { milliseconds } from "@millwright/scheduler/time";

/** What templates whose files have changed ask for, together. */
export interface TemplateChange {
  /** A random part of it passes first; milliseconds. */
  readonly splay: number;
  readonly effect:
    | { readonly kind: "nothing" }
    | { readonly kind: "restart" }
    | {
        readonly kind: "tell";
        readonly signals: readonly string[];
        readonly scripts: readonly ChangeScript[];
      };
}

export type ChangeScript = NonNullable<Template["changeScript"]>;

/** A restart makes all else needless: the task finds everything new when it starts. */
export function changeOf(changed: readonly Template[]): TemplateChange {
  const asking = changed.filter(({ changeMode }) => changeMode !== "noop");
  const splay = Math.max(0, ...asking.map((template) => milliseconds(template.splay)));
  if (asking.some(({ changeMode }) => changeMode === "restart")) return { splay, effect: { kind: "restart" } };
  const signals = asking.filter(({ changeMode }) => changeMode === "signal").map(({ changeSignal }) => changeSignal);
  const scripts = asking.flatMap(({ changeMode, changeScript }) =>
    changeMode === "script" && changeScript ? [changeScript] : [],
  );
  if (signals.length + scripts.length === 0) return { splay: 0, effect: { kind: "nothing" } };
  return { splay, effect: { kind: "tell", signals: [...new Set(signals)], scripts } };
}

/** The variables that a rendered `env = true` template sets: `NAME=value` lines, `#` comments, values in quotes or not. */
export function variablesIn(text: string): Readonly<Record<string, string>> {
  const lines = text.split("\n").map((line) => line.trim());
  const variables = lines.flatMap((line) => {
    const [, name, value] = /^(?:export\s+)?([A-Za-z_][\w.-]*)\s*=\s*(.*)$/.exec(line) ?? [];
    return name === undefined || line.startsWith("#") ? [] : [[name, unquoted(value ?? "")] as const];
  });
  return Object.fromEntries(variables);
}

function unquoted(value: string): string {
  const [, single] = /^'([^']*)'/.exec(value) ?? [];
  if (single !== undefined) return single;
  const [, double] = /^"((?:[^"\\]|\\.)*)"/.exec(value) ?? [];
  if (double === undefined) return value.replace(/\s+#.*$/, "");
  return double.replaceAll(/\\(.)/g, (_, letter: string) => ({ n: "\n", r: "\r", t: "\t" })[letter] ?? letter);
}
