import { createReadStream, existsSync } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { Semaphore } from "@millwright/core/concurrency";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import { shownBytes } from "@millwright/artifact/limits";
import type { TaskLaunch } from "../driver/driver.ts";
import { driverErrors } from "../driver/errors.ts";
import type { DockerConfig, RegistryLogin } from "./config.ts";
import { type DockerEngine, EngineRefusal } from "./engine.ts";
import { formatImageName, type ImageName, parseImageName, registryOf } from "./image-name.ts";
import { PullProgress } from "./pull-progress.ts";

/** Gets images into an engine: each one once at a time, however many tasks ask for it. */
export class Images {
  readonly #engine: DockerEngine;
  readonly #clock: Clock;
  readonly #pulls = new Map<string, Pull>();
  readonly #loads = new Semaphore(1);

  constructor(engine: DockerEngine, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  /** The id of a task's image, which is in the engine when this resolves. Rejects with `driverErrors`. */
  async ensure(config: DockerConfig, launch: TaskLaunch): Promise<string> {
    const name = parseImageName(config.image);
    const shown = formatImageName(name);
    // What `latest` is may have changed since.
    const present = await this.#find(shown);
    if (present !== undefined && !config.force_pull && name.tag !== "latest") return present;
    if (config.load.length > 0) return this.#load(config, launch, shown);
    try {
      await this.#pull(name, config, launch);
    } catch (error) {
      launch.signal.throwIfAborted();
      if (present === undefined || config.force_pull) throw error;
      launch.progress(`The image ${shown} that is there is used: ${messageOf(error)}`);
    }
    return this.#known(shown);
  }

  async #find(shown: string): Promise<string | undefined> {
    try {
      const { Id } = await this.#engine.json<{ Id: string }>({ method: "GET", path: `/images/${encode(shown)}/json` });
      return Id;
    } catch (error) {
      if (error instanceof EngineRefusal && error.status === 404) return undefined;
      throw imageFailure(shown, error);
    }
  }

  async #known(shown: string): Promise<string> {
    const id = await this.#find(shown);
    if (id !== undefined) return id;
    throw new OperationalError(driverErrors.failed, `The image ${shown} has gone from the engine again.`);
  }

  async #load(config: DockerConfig, launch: TaskLaunch, shown: string): Promise<string> {
    for (const archive of config.load) {
      const path = await this.#archive(archive, launch, shown);
      if (path === undefined) return this.#known(shown);
      const { size } = await stat(path);
      launch.progress(`Loading the image ${shown} from ${archive} (${shownBytes(size)})`);
      await this.#loads.run(() => this.#loadFile(path, archive, launch.signal));
    }
    const id = await this.#find(shown);
    if (id !== undefined) return id;
    throw new OperationalError(
      driverErrors.configuration,
      `The archive ${config.load.join(", ")} does not hold the image ${shown}. Name the image as it was saved (docker save NAME).`,
    );
  }

  // Undefined where the image is there without it: one archive is enough for all tasks of a group, and the one that fetches it
  // may need its time.
  async #archive(archive: string, launch: TaskLaunch, shown: string): Promise<string | undefined> {
    const deadline = this.#clock.monotonic() + ((await hasOthers(launch)) ? otherTaskMilliseconds : 0);
    for (let isTold = false; ; ) {
      const path = await archivePath(archive, launch.folders.local);
      if (path !== undefined || (await this.#find(shown)) !== undefined) return path;
      if (this.#clock.monotonic() >= deadline) break;
      if (!isTold)
        launch.progress(`Waiting for the image ${shown}: ${archive} is not in local/, and another task may load it`);
      isTold = true;
      await this.#clock.sleep(lookMilliseconds, launch.signal);
    }
    throw new OperationalError(
      driverErrors.failed,
      `The image archive ${archive} is not in the task's local/, and the image ${shown} is not in the engine. ` +
        "Fetch it with an artifact block, or have another task of the group load it first.",
    );
  }

  async #loadFile(path: string, archive: string, signal: AbortSignal): Promise<void> {
    try {
      const answer = await this.#engine.stream({
        method: "POST",
        path: "/images/load?quiet=1",
        headers: { "content-type": "application/x-tar" },
        bytes: createReadStream(path, { highWaterMark: 256 * 1024 }),
        signal,
      });
      for await (const line of createInterface({ input: answer })) throwFault(line);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof OperationalError) throw error;
      throw new OperationalError(
        driverErrors.configuration,
        `The image archive ${archive} cannot be loaded: ${messageOf(error)}. Make it with docker save.`,
      );
    }
  }

  async #pull(name: ImageName, config: DockerConfig, launch: TaskLaunch): Promise<void> {
    const shown = formatImageName(name);
    const pull = this.#pulls.get(shown) ?? this.#startPull(name, config);
    pull.listeners.add(launch.progress);
    let stop: (() => void) | undefined;
    const stopped = new Promise<never>((_, reject) => {
      stop = () => reject(launch.signal.reason);
      if (launch.signal.aborted) stop();
      launch.signal.addEventListener("abort", stop, { once: true });
    });
    try {
      await Promise.race([pull.ended, stopped]);
    } finally {
      if (stop) launch.signal.removeEventListener("abort", stop);
      pull.listeners.delete(launch.progress);
      // The last one who wanted it has gone.
      if (pull.listeners.size === 0) pull.abort();
    }
  }

  #startPull(name: ImageName, config: DockerConfig): Pull {
    const shown = formatImageName(name);
    const listeners = new Set<(text: string) => void>();
    const controller = new AbortController();
    const tell = (text: string) => {
      for (const listener of listeners) listener(text);
    };
    const ended = this.#pullNow(name, config, { tell, controller }).finally(() => this.#pulls.delete(shown));
    // Whoever waits for it is told.
    ended.catch(() => undefined);
    const pull: Pull = { listeners, ended, abort: () => controller.abort(new Error("nobody waits for it any more")) };
    this.#pulls.set(shown, pull);
    return pull;
  }

  async #pullNow(name: ImageName, config: DockerConfig, to: Pulling): Promise<void> {
    const shown = formatImageName(name);
    const { signal } = to.controller;
    let timer: NodeJS.Timeout | undefined;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => to.controller.abort(new Error(silence(config))), config.image_pull_timeout);
    };
    const progress = new PullProgress(shown, to.tell, this.#clock);
    const reference = name.digest === "" ? name.tag : name.digest;
    heard();
    try {
      const query = new URLSearchParams({ fromImage: name.repository, tag: reference });
      const headers = config.auth && { "x-registry-auth": loginHeader(config.auth, name) };
      const answer = await this.#engine.stream({
        method: "POST",
        path: `/images/create?${query}`,
        signal,
        ...(headers && { headers }),
      });
      for await (const line of createInterface({ input: answer })) {
        heard();
        throwFault(line);
        progress.take(line);
      }
    } catch (error) {
      throw pullFailure(name, signal.aborted ? signal.reason : error);
    } finally {
      clearTimeout(timer);
    }
  }
}

const lookMilliseconds = 500;
/** How long an image that another task may load is waited for. */
const otherTaskMilliseconds = 60_000;

// Whether the allocation has other tasks, by their folders.
async function hasOthers({ folders }: TaskLaunch): Promise<boolean> {
  const names = await readdir(folders.allocation).catch(() => []);
  const others = names.filter((name) => join(folders.allocation, name) !== folders.task);
  return others.some((name) => existsSync(join(folders.allocation, name, basename(folders.local))));
}

interface Pull {
  readonly listeners: Set<(text: string) => void>;
  readonly ended: Promise<void>;
  abort(): void;
}

interface Pulling {
  tell(text: string): void;
  readonly controller: AbortController;
}

// Undefined where it is not there. Nothing outside of `local/` is an archive of the task's.
async function archivePath(archive: string, local: string): Promise<string | undefined> {
  const [folder, path] = await Promise.all([realpath(local), realpath(resolve(local, archive)).catch(() => undefined)]);
  const isNamedWithin = resolve(local, archive).startsWith(`${local}/`);
  if (isNamedWithin && (path === undefined || path.startsWith(`${folder}/`))) return path;
  throw new OperationalError(
    driverErrors.configuration,
    `The image archive ${JSON.stringify(archive)} is outside the task's local/. Have an artifact block fetch it there.`,
  );
}

// A failure in the middle comes as a line of the stream.
function throwFault(line: string): void {
  if (!line.includes('"error"')) return;
  const { error } = JSON.parse(line) as { error?: string };
  if (error !== undefined) throw new EngineRefusal(500, error);
}

function pullFailure(name: ImageName, error: unknown): OperationalError {
  const shown = formatImageName(name);
  if (error instanceof OperationalError) return imageFailure(shown, error);
  const said = messageOf(error).replace(/\.$/, "");
  const isRefused = /denied|unauthorized|not found|manifest unknown|does not exist/i.test(said);
  return new OperationalError(
    isRefused ? driverErrors.configuration : driverErrors.failed,
    isRefused
      ? `The image ${shown} cannot be pulled from ${registryOf(name)}: ${said}. Look at its name and tag; a private one needs an auth block.`
      : `The image ${shown} cannot be pulled from ${registryOf(name)}: ${said}. Look whether this node reaches the registry, or give the image as an archive with load.`,
  );
}

function imageFailure(shown: string, error: unknown): OperationalError {
  if (error instanceof OperationalError) return error;
  return new OperationalError(
    driverErrors.failed,
    `The engine cannot say whether it has the image ${shown}: ${messageOf(error)}.`,
  );
}

function silence({ image_pull_timeout: timeout }: DockerConfig): string {
  return `nothing was heard of it for ${Math.round(timeout / 1000)} s (image_pull_timeout)`;
}

function loginHeader(login: RegistryLogin, name: ImageName): string {
  const serveraddress = login.serveraddress === "" ? registryOf(name) : login.serveraddress;
  // The alphabet for addresses, and yet padded: what Go's URLEncoding reads.
  const text = Buffer.from(JSON.stringify({ ...login, serveraddress })).toString("base64");
  return text.replaceAll("+", "-").replaceAll("/", "_");
}

// Slashes of a name are part of the path.
function encode(name: string): string {
  return name.split("/").map(encodeURIComponent).join("/");
}
