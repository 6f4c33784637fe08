import type { TaskEvent } from "@millwright/clients/nomad-node-protocol";
import { invariant, OperationalError } from "@millwright/core/errors";
import type { Task } from "@millwright/jobs/task";
import type { VaultPort } from "@millwright/render/servers";
import { fetchArtifact } from "../artifact/fetch-artifact.ts";
import type { TaskDriver, TaskLaunch, TaskOutput } from "../driver/driver.ts";
import { takeEffect } from "./change-effect.ts";
import {
  inheritedEnvironment,
  inheritsEnvironment,
  namesOf,
  noSecrets,
  taskEnvironment,
  type TaskPlace,
} from "./environment.ts";
import { allocationErrors, isExpected } from "./errors.ts";
import { allocationFolders, makeTaskFolders, taskFolders } from "./folders.ts";
import { interpolate, interpolateAll, type Names } from "./interpolate.ts";
import { type Owner, ownerOf } from "./owner.ts";
import { PrivateMemory } from "./private-memory.ts";
import { type RegisteredService, serviceRegistrations } from "./service-registrations.ts";
import { TaskCredentials } from "./task-credentials.ts";
import { taskEvents } from "./task-events.ts";
import type { TaskSurroundings } from "./task-runner.ts";
import type { TaskPhase } from "./task-step.ts";
import { TaskTemplates } from "./task-templates.ts";
import type { TemplateChange } from "./template-change.ts";
import { unsupportedIn } from "./unsupported.ts";

export interface PreparationPorts {
  readonly isFetched: boolean;
  readonly noted: (event: TaskEvent) => void;
  /** Has the task started anew; as one that failed, or as one that is to. */
  readonly restart: (reason: string, isFailure: boolean) => void;
  readonly signal: (signal: string, reason: string) => Promise<void>;
  readonly phase: () => TaskPhase["kind"];
}

/** What a preparation is at; a failure is told by it. */
export type Stage = "setup" | "artifacts" | "templates" | "driver";

/**
 * All that a task needs before it starts, in this order: its driver, its folders, its credentials, where its output goes, its
 * artifacts, its templates. What it has stays from start to start, and is kept fresh meanwhile.
 */
export class Preparation {
  stage: Stage = "setup";
  readonly #name: string;
  readonly #around: TaskSurroundings;
  readonly #ports: PreparationPorts;
  readonly #closing = new AbortController();
  #isFetched: boolean;
  #credentials: TaskCredentials | undefined;
  #templates: TaskTemplates | undefined;

  constructor(name: string, around: TaskSurroundings, ports: PreparationPorts) {
    this.#name = name;
    this.#around = around;
    this.#ports = ports;
    this.#isFetched = ports.isFetched;
  }

  get isFetched(): boolean {
    return this.#isFetched;
  }

  task(): Task {
    const task = this.#around.group().tasks.find(({ name }) => name === this.#name);
    invariant(task, `the group has no task ${this.#name} any more`);
    return task;
  }

  /** The task's own services as they are registered now. Throws `refused`. */
  services(): readonly RegisteredService[] {
    const { wanted, host } = this.#around;
    return serviceRegistrations(this.task().services, {
      wanted: wanted(),
      owner: this.#name,
      task: this.#name,
      address: host.node.address,
      names: this.#names(),
      allowsScripts: host.allowsScriptChecks,
    });
  }

  /** Rejects with an operational error, or the signal's reason; {@link stage} says at what. */
  async prepare(signal: AbortSignal): Promise<{ readonly driver: TaskDriver; readonly launch: TaskLaunch }> {
    this.stage = "setup";
    const driver = this.#driver();
    const unsupported = unsupportedIn(this.#around.group(), this.task());
    if (unsupported !== undefined) throw new OperationalError(allocationErrors.refused, unsupported);
    // A service that cannot be registered is told before anything runs.
    this.services();
    this.#around.groupServices();
    const owner = await this.#owner();
    await this.#makeFolders(owner);
    const credentials = await this.#open(owner);
    const identities = await credentials.obtain(signal);
    const output = await this.#attachLogs();
    this.stage = "artifacts";
    await this.#fetchArtifacts(owner, signal);
    this.stage = "templates";
    const templates = await this.#render(owner, credentials);
    await templates.ready(signal);
    const secrets = { vault: credentials.variables, identities, templates: await templates.variables() };
    this.stage = "driver";
    return { driver, launch: this.#launch(this.#environment(secrets), output, signal) };
  }

  /** What a driver finds a task again with. Waits for no server. */
  async recover(): Promise<{ readonly driver: TaskDriver | undefined; readonly launch: TaskLaunch }> {
    const output = await this.#attachLogs();
    const launch = this.#launch(this.#environment(noSecrets), output, this.#closing.signal);
    return { driver: this.#around.host.drivers.get(this.task().driver), launch };
  }

  /** Goes on keeping what a task has that was found again: its token, its identities, its files. */
  async follow(): Promise<void> {
    try {
      const owner = await this.#owner();
      await this.#makeFolders(owner);
      const credentials = await this.#open(owner);
      await credentials.keep(this.#closing.signal);
      await this.#render(owner, credentials);
    } catch (error) {
      // The task has ended meanwhile.
      if (!this.#closing.signal.aborted) throw error;
    }
  }

  /** Ends every token that the task had. */
  async revoke(signal: AbortSignal): Promise<void> {
    await (await this.#open(undefined)).revoke(signal);
  }

  /** Ends what keeps it fresh. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#templates?.close(), this.#credentials?.close()]);
  }

  #hasOwnImage(): boolean {
    return !inheritsEnvironment(this.task().driver);
  }

  #driver(): TaskDriver {
    const { drivers } = this.#around.host;
    const { driver } = this.task();
    const found = drivers.get(driver);
    if (found) return found;
    const known = [...drivers.keys()].sort().join(", ");
    const text = `This node has no driver ${JSON.stringify(driver)}. It has ${known || "none"}: write one of those in the task.`;
    throw new OperationalError(allocationErrors.refused, text);
  }

  #owner(): Promise<Owner | undefined> {
    const { user, driver } = this.task();
    // Names of users inside an image mean nothing out here; numbers do.
    return ownerOf(inheritsEnvironment(driver) || /^\d/.test(user) ? user : "");
  }

  async #makeFolders(owner: Owner | undefined): Promise<void> {
    const { host, root } = this.#around;
    const folders = taskFolders(root, this.#name);
    const where = await makeTaskFolders(folders, {
      owner,
      hasOwnImage: this.#hasOwnImage(),
      secretsMegabytes: this.task().resources.secrets,
    });
    if (where === "memory") return;
    host.log.write("warn", `${folders.secrets} is on disk: no file system in memory can be had here`);
  }

  async #open(owner: Owner | undefined): Promise<TaskCredentials> {
    if (this.#credentials) return this.#credentials;
    const { host, root, wanted } = this.#around;
    const memory = await PrivateMemory.open(allocationFolders(root).private, this.#name);
    const task = this.task();
    this.#credentials = new TaskCredentials({
      ...{ host, memory },
      readers: { owner, hasOwnImage: this.#hasOwnImage() },
      allocation: wanted().ID,
      task: { ...task, vault: interpolateAll(task.vault, this.#names()) },
      folders: taskFolders(root, this.#name),
      noted: this.#ports.noted,
      change: (mode, signal, why) => this.#change(mode, signal, why),
    });
    return this.#credentials;
  }

  #attachLogs(): Promise<TaskOutput> {
    const { host, root, wanted } = this.#around;
    const { maxFiles, maxFileSize } = this.task().logs;
    const limits = { maxFiles, maxFileSize };
    return host.logs.attach({ allocation: wanted().ID, task: this.#name, folder: root, limits });
  }

  async #fetchArtifacts(owner: Owner | undefined, signal: AbortSignal): Promise<void> {
    const { host, root, save } = this.#around;
    const { artifacts } = this.task();
    if (this.#isFetched || artifacts.length === 0) return;
    this.#ports.noted(taskEvents.downloading(host.clock.now()));
    const folders = taskFolders(root, this.#name);
    for (const artifact of interpolateAll(artifacts, this.#names())) {
      await fetchArtifact(artifact, {
        ...{ taskFolder: folders.task, allocationFolder: root, agentFolder: host.dataFolder },
        ...{ clock: host.clock, signal },
        ...(host.artifactLimits ? { limits: host.artifactLimits } : {}),
        ...(host.artifactMirrors ? { mirrors: host.artifactMirrors } : {}),
        ...(owner ? { owner } : {}),
        progress: (text) => this.#ports.noted(taskEvents.driverMessage(host.clock.now(), text)),
      });
    }
    this.#isFetched = true;
    await save();
  }

  async #render(owner: Owner | undefined, credentials: TaskCredentials): Promise<TaskTemplates> {
    const { host, root } = this.#around;
    const { consul, clock, chance, log } = host;
    const environment = this.#environment({ ...noSecrets, vault: credentials.variables });
    this.#templates ??= await TaskTemplates.start({
      templates: this.task().templates.map((template) => ({
        ...template,
        source: interpolate(template.source, this.#names()),
        destination: interpolate(template.destination, this.#names()),
      })),
      ...{ owner, environment, clock, chance, log },
      folders: taskFolders(root, this.#name),
      servers: { consul, vault: credentials.vault ?? noSecretsPort },
      isRunning: this.#ports.phase() === "running",
      readsSecrets: credentials.vault !== undefined,
      waits: (message) => this.#ports.noted(taskEvents.template(clock.now(), message)),
      changed: (change) => void this.#effect(change, owner, templateReasons),
      failed: (message) => {
        this.#templates = undefined;
        this.#ports.noted(taskEvents.template(clock.now(), message));
        this.#ports.restart("Template failed", true);
      },
    });
    return this.#templates;
  }

  async #effect(
    change: TemplateChange,
    owner: Owner | undefined,
    reasons: { readonly restart: string; readonly signal: string },
  ): Promise<void> {
    const { host, root } = this.#around;
    const { clock, chance, log } = host;
    const { restart, signal } = this.#ports;
    const folder = taskFolders(root, this.#name).task;
    const environment = this.#environment({ ...noSecrets, vault: this.#credentials?.variables });
    const hasScripts = inheritsEnvironment(this.task().driver);
    const scripts = hasScripts ? { environment, folder, user: owner } : undefined;
    const ports = { state: () => this.#state(), reasons, restart, signal, scripts, clock, chance, log };
    try {
      await takeEffect(change, ports, this.#closing.signal);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      if (!isExpected(error)) throw error;
      log.write("error", `${this.#name}: what a change asks for could not be done: ${error.message}`);
    }
  }

  #state(): "running" | "starting" | "other" {
    const phase = this.#ports.phase();
    if (phase === "running") return phase;
    return phase === "preparing" && this.stage === "driver" ? "starting" : "other";
  }

  #change(mode: string, signal: string, why: string): void {
    const reasons = { restart: why, signal: why };
    const tell = { kind: "tell", signals: [signal], scripts: [] } as const;
    if (mode === "restart") void this.#effect({ splay: 0, effect: { kind: "restart" } }, undefined, reasons);
    else if (mode === "signal") void this.#effect({ splay: 0, effect: tell }, undefined, reasons);
  }

  #launch(env: Readonly<Record<string, string>>, output: TaskOutput, signal: AbortSignal): TaskLaunch {
    const { host, root, wanted, group } = this.#around;
    const task = this.task();
    const { cpu, cores, memory, memoryMax } = task.resources;
    const ports = wanted().Ports.filter(({ Task: owner }) => owner === null || owner === task.name);
    const names = namesOf(this.#place(), env);
    return {
      ...{ allocation: wanted().ID, group: group().name, task: task.name, env, output, signal },
      config: interpolateAll(task.config, names),
      user: interpolate(task.user, names),
      folders: taskFolders(root, this.#name),
      resources: { cpu, cores, memory, memoryMax },
      ports: ports.map(({ Label, Value, To }) => ({
        ...{ label: Label, value: Value, to: To },
        hostAddress: host.node.address,
      })),
      progress: (text) => this.#ports.noted(taskEvents.driverMessage(host.clock.now(), text)),
    };
  }

  #place(): TaskPlace {
    const { wanted, job, group, host, root } = this.#around;
    const folders = taskFolders(root, this.#name);
    return { wanted: wanted(), job: job(), group: group(), task: this.task(), node: host.node, folders };
  }

  #environment(secrets: Parameters<typeof taskEnvironment>[1]): Readonly<Record<string, string>> {
    const { environment, deniedEnvironment } = this.#around.host;
    const inherits = inheritsEnvironment(this.task().driver);
    return taskEnvironment(
      this.#place(),
      secrets,
      inherits ? inheritedEnvironment(environment, deniedEnvironment) : {},
    );
  }

  /** What references can name, as far as that is no secret. */
  #names(): Names {
    return namesOf(this.#place(), this.#environment(noSecrets));
  }
}

const templateReasons = {
  restart: "Template with change_mode restart re-rendered",
  signal: "Template re-rendered",
};

/** For tasks without a `vault` block. */
const noSecretsPort: VaultPort = {
  address: "the secrets server",
  ...{ read: noToken, write: noToken, list: noToken, mountOf: noToken, lookupSelf: noToken },
  ...{ renewLease: noToken, revokeLease: noToken, renewSelf: noToken },
};

async function noToken(): Promise<never> {
  const text = "A template reads a secret, and the task has no vault block that gives it a token. Write one: vault {}";
  throw new OperationalError(allocationErrors.credential, text);
}
