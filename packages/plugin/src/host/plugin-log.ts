import type { Log, LogLevel } from "@millwright/core/ports";

const levels: ReadonlySet<string> = new Set<LogLevel>(["trace", "debug", "info", "warn", "error"]);
const kept = 400;
const longestLine = 16 * 1024;

/**
 * What a provider writes on standard error, cut into lines: each goes to the log (lines of hclog's JSON with their level and
 * fields, others as they are), and the last ones stay here, to be shown should it crash.
 */
export class PluginLog {
  readonly #log: Log;
  readonly #name: string;
  #rest = "";
  #lines: string[] = [];

  constructor(name: string, log: Log) {
    this.#name = name;
    this.#log = log;
  }

  write(piece: Uint8Array): void {
    const lines = (this.#rest + Buffer.from(piece).toString()).split("\n");
    this.#rest = lines.pop()!.slice(0, longestLine);
    for (const line of lines) this.#line(line.trimEnd());
  }

  #line(line: string): void {
    if (line === "") return;
    const entry = readEntry(line);
    if (entry) {
      const { level, message, fields } = entry;
      this.#log.write(level, `${this.#name}: ${message}`, fields);
      if (level !== "error" && level !== "warn") return;
      this.#keep(`[${level.toUpperCase()}] ${message}`);
    } else {
      this.#log.write("debug", `${this.#name}: ${line}`);
      this.#keep(line);
    }
  }

  #keep(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > 2 * kept) this.#lines = this.#lines.slice(-kept);
  }

  /** What is worth showing of a crash: from the panic on where there is one, else the last lines. At most `count`. */
  lastWords(count: number): readonly string[] {
    const all = this.#rest === "" ? this.#lines : [...this.#lines, this.#rest];
    const panic = all.findLastIndex((line) => /^(panic:|fatal error:|runtime: )/.test(line));
    return panic >= 0 ? all.slice(panic, panic + count) : all.slice(-count);
  }
}

function readEntry(
  line: string,
): { readonly level: LogLevel; readonly message: string; readonly fields: Record<string, unknown> } | undefined {
  if (!line.startsWith("{")) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { "@level": level, "@message": message, ...fields } = parsed as Record<string, unknown>;
  if (typeof level !== "string" || typeof message !== "string") return undefined;
  return { level: levels.has(level) ? (level as LogLevel) : "debug", message, fields };
}
