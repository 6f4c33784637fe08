import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { type Clock, type Log, type LogLevel, systemChance, systemClock } from "@millwright/core/ports";
import { lineLog } from "@millwright/daemon/log";
import { prepareTemplates } from "@millwright/render/prepared-template";
import { startRendering } from "@millwright/render/render";
import type { RunOutcome } from "@millwright/render/runner-state";
import { describeFlags, parseFlags } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { productVersion } from "../product.ts";
import { renderDiagnostic, sourcesIn } from "../views/diagnostics.ts";
import { exitCodeOf, exitCodes } from "./exit-code.ts";
import { templateFlags } from "./flags.ts";
import { loadFiles, settingsOfFlags } from "./load-settings.ts";
import { openServers } from "./open-servers.ts";
import { type Resolved, resolveInvocation } from "./resolve.ts";
import { mergeSettings, type Settings } from "./settings.ts";
import { processSignals, type SignalSource } from "./signals.ts";

const usage = (program: string) => `Usage: ${program} [flags] [COMMAND [ARGUMENT …]]

  Renders templates from keys, services and secrets, and renders them again
  when those change. With a command it is started when all templates are
  rendered, and ended with this program.

      $ ${program} -template="app.yml.ctmpl:app.yml" ./app
      $ ${program} -template="web.conf.ctmpl:web.conf:nginx -s reload"
      $ ${program} -config=templates.hcl -once

Flags:

`;

export interface TemplatePorts {
  readonly clock: Clock;
  readonly signals: SignalSource;
}

/**
 * consul-template's command line, under that name or as `millwright template`. Runs until it is interrupted, the program
 * beside it ends, or (with -once) everything is rendered; resolves to the exit code.
 */
export async function runConsulTemplate(
  args: readonly string[],
  io: CommandIo,
  program: "consul-template" | "millwright template",
  ports: TemplatePorts = { clock: systemClock, signals: processSignals },
): Promise<number> {
  const parsed = parseFlags(templateFlags, args, "flags-first");
  if (parsed.kind === "help") {
    await io.stdout(usage(program) + describeFlags(templateFlags));
    return exitCodes.ok;
  }
  if (parsed.kind === "mistake") return report(io, [parsed.diagnostic], exitCodes.badFlags);
  const { values, occurrences } = parsed;
  if (values.version || values.v) {
    await io.stdout(`${program} v${productVersion} (Millwright)\n`);
    return exitCodes.ok;
  }
  const fromFlags = settingsOfFlags(occurrences);
  if (hasErrors(fromFlags.diagnostics)) return report(io, fromFlags.diagnostics, exitCodes.badFlags);
  const run = new TemplateRun({ values, settings: fromFlags.value, child: parsed.args }, io, ports);
  return run.untilOver();
}

interface Line {
  readonly values: {
    readonly config: readonly string[];
    readonly once: boolean;
    readonly dry: boolean;
    readonly "parse-only": boolean;
  };
  readonly settings: Settings;
  readonly child: readonly string[];
}

/** One command line, over all the times that its configuration is read. */
class TemplateRun {
  readonly #line: Line;
  readonly #io: CommandIo;
  readonly #ports: TemplatePorts;

  constructor(line: Line, io: CommandIo, ports: TemplatePorts) {
    this.#line = line;
    this.#io = io;
    this.#ports = ports;
  }

  async untilOver(): Promise<number> {
    for (;;) {
      const loaded = await this.#load();
      if (typeof loaded === "number") return loaded;
      const code = await this.#render(loaded);
      if (code !== "again") return code;
    }
  }

  /** What is to be done now, or the exit code with which it cannot be. */
  async #load(): Promise<{ readonly settings: Settings; readonly resolved: Resolved } | number> {
    const { values, child } = this.#line;
    const { env, cwd } = this.#io;
    const files = loadFiles(values.config, cwd);
    if (files.diagnostics.length > 0) await report(this.#io, files.diagnostics, 0);
    if (hasErrors(files.diagnostics)) return exitCodes.badConfig;
    const settings = mergeSettings(files.value, this.#line.settings);
    try {
      const found = resolveInvocation({ settings, isOnce: values.once, isDry: values.dry, child, env, cwd });
      if (!found.ok) {
        const isOnlySources = found.diagnostics.every(({ code }) => code === "template-source");
        return report(this.#io, found.diagnostics, isOnlySources ? exitCodes.runFailed : exitCodes.badConfig);
      }
      return { settings, resolved: found.resolved };
    } catch (error) {
      return this.#fail(error, exitCodes.badConfig);
    }
  }

  async #render({ settings, resolved }: { readonly settings: Settings; readonly resolved: Resolved }) {
    const log = openLog(settings, this.#io, this.#ports.clock);
    if (typeof log === "string") return this.#fail(new Error(log), exitCodes.badConfig);
    const { config } = resolved;
    if (this.#line.values["parse-only"]) {
      const { diagnostics } = prepareTemplates(config.templates, config.isDry);
      return report(this.#io, diagnostics, hasErrors(diagnostics) ? exitCodes.runFailed : exitCodes.ok);
    }
    try {
      const pidFile = settings.pid_file === undefined ? undefined : resolve(this.#io.cwd, settings.pid_file);
      const opened = await openServers(resolved, { clock: this.#ports.clock, log });
      try {
        if (pidFile !== undefined) writeFileSync(pidFile, String(process.pid));
        return await this.#follow(settings, resolved, { log, servers: opened.servers });
      } finally {
        await opened.close();
        if (pidFile !== undefined) rmSync(pidFile, { force: true });
      }
    } catch (error) {
      return this.#fail(error, exitCodes.runFailed);
    }
  }

  async #follow(
    settings: Settings,
    { config }: Resolved,
    { log, servers }: { readonly log: Log; readonly servers: Awaited<ReturnType<typeof openServers>>["servers"] },
  ): Promise<number | "again"> {
    const { clock, signals } = this.#ports;
    const print = (text: string) => this.#io.stdout(text);
    const started = startRendering(config, { servers, clock, chance: systemChance, log, print });
    if (!started.ok) return report(this.#io, started.diagnostics, exitCodes.runFailed);
    const { rendering } = started;
    const killSignal = settings.kill_signal === undefined ? "SIGINT" : settings.kill_signal;
    const reloadSignal = settings.reload_signal === undefined ? "SIGHUP" : settings.reload_signal;
    let why: "interrupted" | "again" | undefined;
    const forget = signals((signal) => {
      log.write("debug", `got ${signal}`);
      if (signal === killSignal) {
        why ??= "interrupted";
        void this.#io.stderr("Received interrupt, cleaning up...\n");
        rendering.stop();
      } else if (signal === reloadSignal) {
        why ??= "again";
        void this.#io.stderr("Reloading configuration...\n");
        rendering.stop();
      } else if (signal === "SIGTERM") {
        rendering.stop(signal);
      } else rendering.signal(signal);
    });
    try {
      const outcome = await rendering.over;
      return outcome.kind === "stopped" && why === "again" ? "again" : await this.#codeOf(outcome, why);
    } finally {
      forget();
    }
  }

  async #codeOf(outcome: RunOutcome, why: "interrupted" | "again" | undefined): Promise<number> {
    switch (outcome.kind) {
      case "done":
        return exitCodes.ok;
      case "stopped":
        return why === "interrupted" ? exitCodes.interrupted : exitCodes.ok;
      case "childEnded":
        return exitCodeOf(outcome.exit);
      case "failed":
        await this.#io.stderr(`Error: ${outcome.message}\n`);
        return exitCodes.runFailed;
    }
  }

  /** Says what the user can act on; a bug goes on. */
  async #fail(error: unknown, code: number): Promise<number> {
    const isOperational = error instanceof OperationalError || (error instanceof Error && "code" in error);
    if (!isOperational) throw error;
    await this.#io.stderr(`Error: ${messageOf(error)}\n`);
    return code;
  }
}

async function report(io: CommandIo, diagnostics: readonly Diagnostic[], code: number): Promise<number> {
  const sources = sourcesIn(io.cwd);
  for (const diagnostic of diagnostics) await io.stderr(renderDiagnostic(diagnostic, io.view, sources));
  return code;
}

const levels: Readonly<Record<string, LogLevel>> = {
  trace: "trace",
  debug: "debug",
  info: "info",
  warn: "warn",
  err: "error",
  error: "error",
};

/** The log of a run: standard error, and a file where one is named; a text says why there is none. */
function openLog({ log_level: given, log_file: file }: Settings, io: CommandIo, clock: Clock): Log | string {
  const name = given ?? io.env.CONSUL_TEMPLATE_LOG ?? io.env.CT_LOG ?? "warn";
  const level = levels[name.toLowerCase()];
  if (!level) return `There is no log level ${JSON.stringify(name)}: write trace, debug, info, warn or err.`;
  const path = file?.path === undefined ? undefined : resolve(io.cwd, file.path);
  return lineLog(level, clock, (line) => {
    void io.stderr(line);
    if (path !== undefined) appendFileSync(path, line, { mode: 0o600 });
  });
}
