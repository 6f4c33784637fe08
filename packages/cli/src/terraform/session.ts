import { resolve } from "node:path";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { OperationalError } from "@millwright/core/errors";
import type { Log } from "@millwright/core/ports";
import type { CommandIo, View } from "../io.ts";
import { renderDiagnostics, sourcesIn, type SourceText } from "../views/diagnostics.ts";
import { failureDiagnostic } from "../views/failure.ts";
import type { JsonView } from "../views/json-lines.ts";
import { debugLog } from "./debug-log.ts";
import { inList, type InstanceScope } from "./instance-scope.ts";
import { consolidated, isWanted, type Reporting, usualReporting } from "./reporting.ts";

/** Which command line was typed: ours, or a known tool's. Texts differ where a user would be sent to a command. */
export type CommandStyle = "millwright" | "terraform" | "tofu";

/** How something is told other than as its mere text. */
interface Said {
  /** What people see: with colours, and all that there is to say. */
  readonly shown?: string;
  /** The type of the JSON message, and what stands beside its text. */
  readonly type?: string;
  readonly about?: Readonly<Record<string, unknown>>;
}

/** What a terraform command works in: a folder, the way to talk to its user, and the program's parts. */
export class Session {
  readonly io: CommandIo;
  readonly style: CommandStyle;
  /** Absolute. */
  readonly folder: string;
  readonly view: View;
  readonly compactWarnings: boolean;
  readonly sources: SourceText;
  /** Set where the folder is the template of an instance. */
  readonly instance: InstanceScope | undefined;
  /** Set where everything is told as JSON, an object a line. */
  readonly json: JsonView | undefined;
  /** What the flags say of how it is told. */
  readonly reporting: Reporting;
  /** What the program does, for who asks for it with TF_LOG. No secrets. */
  readonly log: Log;

  constructor(
    io: CommandIo,
    style: CommandStyle,
    folder: string,
    options: {
      readonly noColor: boolean;
      readonly compactWarnings: boolean;
      readonly json?: JsonView;
      readonly reporting?: Reporting;
    },
  ) {
    this.io = io;
    this.style = style;
    this.folder = folder;
    this.view = options.noColor ? { ...io.view, colour: false } : io.view;
    this.compactWarnings = options.compactWarnings;
    this.instance = io.instance;
    this.sources = sourcesIn(io.instance?.listFolder ?? folder);
    this.json = options.json;
    this.reporting = options.reporting ?? usualReporting;
    this.log = debugLog("core", io.env, (text) => void io.stderr(text));
  }

  path(name: string): string {
    return resolve(this.folder, name);
  }

  /** Tells something as JSON, where that is wanted: printed, or into a file beside what people are told. */
  tellJson(tell: (view: JsonView) => void): void {
    if (this.json) tell(this.json);
    if (this.reporting.also) tell(this.reporting.also);
  }

  /** Tells something that was done or found: a line for people, a message of the JSON lines. */
  async say(text: string, { shown = text, type = "log", about = {} }: Said = {}): Promise<void> {
    if (this.json) this.json.say("info", text, type, about);
    else await this.io.stdout(`${shown}\n`);
  }

  /** Prints diagnostics (errors to standard error); false where there are errors among them. */
  async report(found: readonly Diagnostic[]): Promise<boolean> {
    const { instance } = this;
    const wanted = found.filter((diagnostic) => isWanted(diagnostic, this.reporting));
    const diagnostics = instance ? wanted.map((diagnostic) => inList(instance, diagnostic)) : wanted;
    const errors = hasErrors(diagnostics);
    this.tellJson((view) => view.diagnostics(diagnostics));
    if (this.json) return !errors;
    const { consolidate } = this.reporting;
    const of = (severity: Diagnostic["severity"], once: boolean) => {
      const all = diagnostics.filter((diagnostic) => diagnostic.severity === severity);
      return once ? consolidated(all) : all;
    };
    const warnings = of("warning", consolidate.warnings && !this.compactWarnings);
    if (warnings.length > 0)
      await this.io.stdout(renderDiagnostics(warnings, this.view, this.sources, this.compactWarnings && !errors));
    if (errors)
      await this.io.stderr(renderDiagnostics(of("error", consolidate.errors), this.view, this.sources, false));
    return !errors;
  }

  /** Reports what keeps a command from its work. Gives the exit code. */
  async refuse(summary: string, detail: string): Promise<number> {
    await this.report([errorDiagnostic(summary, detail)]);
    return 1;
  }

  /** Runs a command's work; where the world is not as it needs it, that is reported, and the exit code is 1. */
  async guard(work: () => Promise<number>): Promise<number> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      await this.report([failureDiagnostic(error)]);
      return 1;
    }
  }
}
