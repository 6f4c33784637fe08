import type { Diagnostic } from "@millwright/core/diagnostics";
import { OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { Template } from "@millwright/jobs/task";
import type { RenderConfig, TemplateSpec } from "@millwright/render/config";
import type { RetryPolicy } from "@millwright/render/retry";
import { type Rendering, type RenderNews, startRendering } from "@millwright/render/render";
import type { Servers } from "@millwright/render/servers";
import { milliseconds } from "@millwright/scheduler/time";
import { readFile } from "node:fs/promises";
import type { TaskFolders } from "../driver/driver.ts";
import { allocationErrors } from "./errors.ts";
import { pathInside } from "./inside.ts";
import { orAborted } from "./patience.ts";
import type { Owner } from "./owner.ts";
import { changeOf, type TemplateChange, variablesIn } from "./template-change.ts";

export interface TemplatePorts {
  /** Interpolated. */
  readonly templates: readonly Template[];
  readonly folders: TaskFolders;
  readonly owner: Owner | undefined;
  /** What `env` gives. */
  readonly environment: Readonly<Record<string, string>>;
  readonly servers: Servers;
  /** Whether the task runs already: its files are there, and a change of the first rendering is one too. */
  readonly isRunning: boolean;
  /** Whether the task has a token with which secrets can be read. */
  readonly readsSecrets: boolean;
  /** Told what it waits for, when that takes a while. */
  readonly waits: (message: string) => void;
  /** Told of files that have changed since all were there. */
  readonly changed: (change: TemplateChange) => void;
  /** Told why it has come to an end after all were there. */
  readonly failed: (message: string) => void;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** The templates of a task: rendered before it starts, and again whenever what they read has changed. */
export class TaskTemplates {
  readonly #ports: TemplatePorts;
  readonly #renderings: Rendering[] = [];
  readonly #control = new AbortController();
  readonly #first = Promise.withResolvers<void>();
  #incomplete = 0;
  #isComplete = false;
  /** What has changed before all were there. */
  readonly #early: Template[] = [];
  /** The last thing that went wrong with a source: it says why another is missing. */
  #trouble = "";

  private constructor(ports: TemplatePorts) {
    this.#ports = ports;
  }

  /** Starts rendering. Rejects with `refused` for a template that cannot be one. */
  static async start(ports: TemplatePorts): Promise<TaskTemplates> {
    const all = new TaskTemplates(ports);
    // Nobody may come to wait for it.
    all.#first.promise.catch(() => undefined);
    const { templates } = ports;
    await all.#startSome(
      "once",
      templates.filter(({ once }) => once),
    );
    await all.#startSome(
      "follow",
      templates.filter(({ once }) => !once),
    );
    if (all.#incomplete === 0) all.#complete();
    return all;
  }

  /** Resolves when all files are there. Rejects with `template` where one cannot be made, and with the signal's reason. */
  ready(signal: AbortSignal): Promise<void> {
    return orAborted(this.#first.promise, signal);
  }

  /** What the files with `env = true` say now. */
  async variables(): Promise<Readonly<Record<string, string>>> {
    const { templates, folders } = this.#ports;
    const files = templates.filter(({ env }) => env).map(({ destination }) => pathInside(folders, destination));
    const texts = await Promise.all(files.map(async (file) => readFile(await file, "utf8")));
    return Object.assign({}, ...texts.map(variablesIn));
  }

  /** Ends it; files stay as they are. */
  async close(): Promise<void> {
    this.#control.abort();
    for (const rendering of this.#renderings) rendering.stop();
    await Promise.all(this.#renderings.map(({ over }) => over));
  }

  async #startSome(mode: RenderConfig["mode"], templates: readonly Template[]): Promise<void> {
    if (templates.length === 0) return;
    const { environment, folders, servers, readsSecrets, clock, chance } = this.#ports;
    const config: RenderConfig = {
      ...{ mode, environment, folder: folders.task },
      templates: await Promise.all(templates.map((template) => this.#specOf(template))),
      isDry: false,
      wait: quiet,
      follow: { ...following, vaultRetry: readsSecrets ? forEver : never },
      renewsToken: false,
    };
    const news = (told: RenderNews) => this.#hear(told, templates);
    const print = () => Promise.resolve();
    const started = startRendering(config, { servers, clock, chance, print, news, log: this.#log() });
    if (!started.ok) throw refused(started.diagnostics);
    this.#incomplete++;
    this.#renderings.push(started.rendering);
    void started.rendering.over.then((outcome) => {
      if (outcome.kind === "failed") this.#fail(outcome.message);
    });
  }

  async #specOf(template: Template): Promise<TemplateSpec> {
    const { folders, owner } = this.#ports;
    const { source, data, uid, gid, wait } = template;
    const isText = source === "";
    const path = await pathInside(folders, template.destination);
    const user = uid ?? owner?.uid;
    const group = gid ?? owner?.gid;
    return {
      name: isText ? template.destination : source,
      text: isText ? data : await this.#read(source),
      destination: path,
      delimiters: { left: template.leftDelimiter, right: template.rightDelimiter },
      permissions: Number.parseInt(template.perms || "0644", 8),
      ...(user === undefined ? {} : { user: String(user) }),
      ...(group === undefined ? {} : { group: String(group) }),
      keepsBackup: false,
      makesFolders: true,
      missingKey: template.errorOnMissingKey ? "error" : "default",
      errorIsFatal: true,
      deniedFunctions: ["plugin", "writeToFile"],
      sandbox: folders.task,
      // The task runs by then, and may have put a link on the way.
      checkPlace: () => pathInside(folders, template.destination),
      ...(wait ? { wait: { least: milliseconds(wait.min ?? 0), most: milliseconds(wait.max ?? 0) } } : {}),
    };
  }

  async #read(source: string): Promise<string> {
    const path = await pathInside(this.#ports.folders, source);
    try {
      return await readFile(path, "utf8");
    } catch (error) {
      const text = `The template's source ${source} cannot be read (${path}). Let an artifact bring it, or write it as data.`;
      throw new OperationalError(allocationErrors.refused, text, { cause: error });
    }
  }

  #hear(news: RenderNews, templates: readonly Template[]): void {
    switch (news.kind) {
      case "waiting":
        void this.#tellWaiting(news.sources);
        return;
      case "complete":
        this.#incomplete--;
        if (this.#incomplete === 0) this.#complete();
        return;
      case "changed": {
        const changed = news.templates.map((index) => templates[index]!);
        if (this.#isComplete) this.#ports.changed(changeOf(changed));
        else this.#early.push(...changed);
      }
    }
  }

  /** What is there in a moment is not worth a line. */
  async #tellWaiting(sources: readonly string[]): Promise<void> {
    const { clock, waits } = this.#ports;
    try {
      await clock.sleep(patienceMilliseconds, this.#control.signal);
    } catch {
      return;
    }
    if (this.#isComplete) return;
    waits(`Missing: ${sources.join(", ")}${this.#trouble === "" ? "" : `. ${this.#trouble}`}`);
  }

  #complete(): void {
    this.#isComplete = true;
    if (this.#ports.isRunning && this.#early.length > 0) this.#ports.changed(changeOf(this.#early));
    this.#first.resolve();
  }

  #fail(message: string): void {
    if (this.#isComplete) this.#ports.failed(message);
    else this.#first.reject(new OperationalError(allocationErrors.template, message));
  }

  #log(): Log {
    return {
      write: (level, message, fields) => {
        if (level === "warn" || level === "error") this.#trouble = message;
        this.#ports.log.write(level === "info" ? "debug" : level, message, fields);
      },
    };
  }
}

function refused(diagnostics: readonly Diagnostic[]): OperationalError {
  const text = diagnostics.map(({ summary, detail }) => `${summary}: ${detail}`).join("\n");
  return new OperationalError(allocationErrors.refused, text);
}

/** As Nomad's clients have it. */
const quiet = { least: 5_000, most: 240_000 };
const patienceMilliseconds = 2_000;
const forEver: RetryPolicy = { enabled: true, attempts: 0, backoffMilliseconds: 250, longestMilliseconds: 15_000 };
const never: RetryPolicy = { ...forEver, enabled: false };
const following = {
  consulRetry: forEver,
  blockMilliseconds: 60_000,
  maxStaleMilliseconds: 2_000,
  defaultLeaseMilliseconds: 300_000,
  leaseThreshold: 0.9,
};
