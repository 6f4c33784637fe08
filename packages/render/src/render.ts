import type { Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import { assertNever, messageOf, OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { ProcessExit } from "@millwright/process/process-state";
import type { TemplateValue } from "@millwright/template/value";
import { isAbsolute, join } from "node:path";
import { Child } from "./child.ts";
import { runCommands } from "./commands.ts";
import type { RenderConfig, TemplateSpec } from "./config.ts";
import { prepareTemplates } from "./prepared-template.ts";
import {
  firstState,
  type RunnerAction,
  type RunnerEvent,
  type RunnerPlan,
  type RunnerState,
  type RunOutcome,
  stepRunner,
  type WriteResult,
} from "./runner-state.ts";
import type { Servers } from "./servers.ts";
import type { Source } from "./source.ts";
import { keepToken } from "./token.ts";
import { Watcher } from "./watcher.ts";
import { writeFile } from "./write-file.ts";

export interface RenderPorts {
  readonly servers: Servers;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
  /** Where a dry run prints. */
  readonly print: (text: string) => Promise<void>;
  /** Told how the templates are, for programs that do more with that than commands and a child can. */
  readonly news?: (news: RenderNews) => void;
}

/** Templates are named by their places in the configuration. */
export type RenderNews =
  /** Not all have been rendered yet, as nothing is known of these sources (by their ids). */
  | { readonly kind: "waiting"; readonly sources: readonly string[] }
  /** These have been rendered, and their files' content is another than it was before. */
  | { readonly kind: "changed"; readonly templates: readonly number[] }
  /** All have been rendered: told once. */
  | { readonly kind: "complete" };

/** Templates that are kept rendered, and the program beside them. */
export interface Rendering {
  /** Resolves when it is over: files are in place, the program has ended, leases are given back. */
  readonly over: Promise<RunOutcome>;
  /** Ends it. With a signal, the program gets that one in place of its own kill signal. */
  stop(signal?: NodeJS.Signals): void;
  /** Passes a signal on to the program. */
  signal(name: NodeJS.Signals): void;
}

export type StartedRendering =
  | { readonly ok: true; readonly rendering: Rendering }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/**
 * Renders templates, and keeps them rendered. Faults in the templates come back before anything is read or written.
 *
 * Leases are given back when nothing uses them any more: those of a source that no template reads now, and at the end all
 * of them where they were for a program that ran beside the templates, or where nothing has been written. Else they run out
 * by themselves, as whoever reads the files goes on using what is in them.
 */
export function startRendering(config: RenderConfig, ports: RenderPorts): StartedRendering {
  const { value: templates, diagnostics } = prepareTemplates(config.templates, config.isDry);
  if (hasErrors(diagnostics)) return { ok: false, diagnostics };
  return { ok: true, rendering: new Runner({ config, templates }, ports) };
}

const vaultKinds: ReadonlySet<Source["kind"]> = new Set(["secret", "written", "names"]);

class Runner implements Rendering {
  readonly over: Promise<RunOutcome>;
  readonly #plan: RunnerPlan;
  readonly #ports: RenderPorts;
  readonly #watcher: Watcher;
  readonly #child: Child | undefined;
  readonly #work = new AbortController();
  readonly #queue: RunnerEvent[] = [];
  #state: RunnerState;
  /** How the program ended when it was ended here. */
  #childExit: ProcessExit | undefined;
  #wake: () => void = () => undefined;
  /** That the own token is kept alive; there is none to keep before a secret is read. */
  #token: Promise<void> | undefined;
  /** Whether the program was ended by a signal that came from outside. */
  #isPassedOn = false;
  /** The sources that it was last told to wait for; undefined when it waits for none any more. */
  #waitsFor: string | undefined = "";

  constructor(plan: RunnerPlan, ports: RenderPorts) {
    this.#plan = plan;
    this.#ports = ports;
    this.#state = firstState(plan);
    const { config } = plan;
    this.#watcher = new Watcher({
      ...ports,
      settings: config.follow,
      arrived: (id, value) => this.#arrived(id, value),
      failed: (source, message) => this.#feed({ kind: "failed", message: `${source.id}: ${message}` }),
    });
    this.#child =
      config.child &&
      new Child(config.child, {
        ...ports,
        ...config,
        ended: (exit) => this.#feed({ kind: "childEnded", exit }),
      });
    this.over = this.#run();
  }

  stop(signal?: NodeJS.Signals): void {
    this.#feed({ kind: "stopAsked", ...(signal ? { signal } : {}) });
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.signal(name);
  }

  async #run(): Promise<RunOutcome> {
    this.#feed({ kind: "started", at: this.#ports.clock.now() });
    while (this.#state.phase.kind !== "over") {
      if (this.#queue.length === 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        // What the event loop has at hand beside it comes along.
        await new Promise((resolve) => setImmediate(resolve));
      }
      const event = this.#queue.shift();
      if (!event) continue;
      const { state, actions } = stepRunner(this.#plan, this.#state, event);
      this.#state = state;
      this.#tellNews(event);
      for (const action of actions) this.#act(action);
    }
    await this.#token;
    const { outcome } = this.#state.phase;
    // Ended by a signal that was passed on: how the program took it is how the run ends.
    return outcome.kind === "stopped" && this.#childExit && this.#isPassedOn
      ? { kind: "childEnded", exit: this.#childExit }
      : outcome;
  }

  #tellNews(event: RunnerEvent): void {
    const { news } = this.#ports;
    if (!news) return;
    if (event.kind === "written") {
      const changed = event.results.filter(({ outcome }) => outcome.kind === "changed");
      if (changed.length > 0) news({ kind: "changed", templates: changed.map(({ index }) => index) });
    }
    if (this.#waitsFor === undefined) return;
    const { templates, known, phase } = this.#state;
    if (templates.every(({ rendered }) => rendered !== undefined)) {
      this.#waitsFor = undefined;
      news({ kind: "complete" });
      return;
    }
    if (phase.kind !== "idle") return;
    const wanted = templates.flatMap(({ awaited, told }) => [...awaited.filter((id) => !known.has(id)), ...told]);
    const sources = [...new Set(wanted)];
    if (sources.length === 0 || sources.join("\n") === this.#waitsFor) return;
    this.#waitsFor = sources.join("\n");
    news({ kind: "waiting", sources });
  }

  #feed(event: RunnerEvent): void {
    this.#queue.push(event);
    this.#wake();
  }

  /** What arrives together is looked at together. */
  #arrived(id: string, value: TemplateValue): void {
    const last = this.#queue.at(-1);
    const at = this.#ports.clock.now();
    if (last?.kind === "arrived") {
      this.#queue[this.#queue.length - 1] = { kind: "arrived", at, values: [...last.values, [id, value]] };
    } else this.#feed({ kind: "arrived", at, values: [[id, value]] });
  }

  #act(action: RunnerAction): void {
    const { log } = this.#ports;
    switch (action.kind) {
      case "watch":
        if (vaultKinds.has(action.source.kind)) this.#token ??= this.#keepToken();
        this.#watcher.add(action.source);
        return;
      case "unwatch":
        this.#start(this.#watcher.drop(action.ids, "givesBack"));
        return;
      case "write":
        this.#start(this.#write(action.texts));
        return;
      case "runCommands":
        this.#start(this.#runCommands(action));
        return;
      case "startChild":
        this.#start(this.#ready(this.#child?.start()));
        return;
      case "reloadChild":
        this.#start(this.#ready(this.#child?.reload(this.#work.signal)));
        return;
      case "wakeAt":
        this.#start(this.#wakeAt(action.at));
        return;
      case "tell":
        log.write(action.notice.level, action.notice.message);
        return;
      case "cleanUp":
        this.#isPassedOn = action.signal !== undefined;
        this.#start(this.#cleanUp(action.signal));
        return;
      default:
        assertNever(action);
    }
  }

  /** Work beside the loop: what it has to tell comes back as an event; its operational errors end the run. */
  #start(work: Promise<void>): void {
    work.catch((error: unknown) => {
      const { signal } = this.#work;
      if (signal.aborted && (error === signal.reason || error instanceof OperationalError)) return;
      if (!(error instanceof OperationalError)) throw error;
      this.#feed({ kind: "failed", message: error.message });
    });
  }

  /** Begins with the first secret: a run without one asks nothing of a secrets server. */
  async #keepToken(): Promise<void> {
    if (!this.#plan.config.renewsToken) return;
    const { clock, log, servers } = this.#ports;
    const { signal } = this.#work;
    try {
      await keepToken({ vault: servers.vault, clock, log, signal });
    } catch (error) {
      if (error !== signal.reason) throw error;
    }
  }

  async #write(texts: readonly { readonly index: number; readonly text: string }[]): Promise<void> {
    const results: WriteResult[] = [];
    for (const { index, text } of texts) {
      const outcome = await this.#writeOne(this.#plan.templates[index]!.spec, text);
      results.push({ index, text, outcome });
    }
    this.#feed({ kind: "written", at: this.#ports.clock.now(), results });
  }

  async #writeOne(spec: TemplateSpec, text: string): Promise<WriteResult["outcome"]> {
    const { config } = this.#plan;
    if (config.isDry) {
      await this.#ports.print(`> ${spec.destination ?? ""}\n${text}`);
      return { kind: "changed" };
    }
    const destination = spec.destination ?? "";
    const path = isAbsolute(destination) ? destination : join(config.folder, destination);
    try {
      await spec.checkPlace?.();
      return { kind: (await writeFile({ ...spec, path, text })) ? "changed" : "same" };
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      return { kind: "failed", message: error.message };
    }
  }

  async #runCommands({ commands, isChanged }: Extract<RunnerAction, { readonly kind: "runCommands" }>): Promise<void> {
    const { environment, folder } = this.#plan.config;
    const failures = await runCommands(commands, { environment, folder, signal: this.#work.signal });
    this.#feed({ kind: "commandsDone", at: this.#ports.clock.now(), failures, isChanged });
  }

  async #ready(work: Promise<void> | undefined): Promise<void> {
    await work;
    this.#feed({ kind: "childReady", at: this.#ports.clock.now() });
  }

  async #wakeAt(at: number): Promise<void> {
    const { clock } = this.#ports;
    // Timers may fire a moment early, and nobody would look again.
    do await clock.sleep(Math.max(0, at - clock.now()), this.#work.signal);
    while (clock.now() < at);
    this.#feed({ kind: "quietOver", at: clock.now() });
  }

  /** Whether there is a file that somebody may go on using, and no program of ours that it was for. */
  #isLeftInUse(): boolean {
    const { config } = this.#plan;
    if (config.isDry || config.child) return false;
    return this.#state.templates.some(({ rendered }) => rendered !== undefined);
  }

  async #cleanUp(signal: NodeJS.Signals | undefined): Promise<void> {
    this.#work.abort();
    this.#childExit = await this.#child?.end(signal);
    try {
      await this.#watcher.stop(this.#isLeftInUse() ? "keeps" : "givesBack");
    } catch (error) {
      this.#ports.log.write("error", messageOf(error));
    }
    this.#feed({ kind: "cleaned" });
  }
}
