import { realpath } from "node:fs/promises";
import { invariant, isKind, messageOf, OperationalError } from "@millwright/core/errors";
import { type Clock, systemClock } from "@millwright/core/ports";
import type {
  DriverFingerprint,
  Following,
  SavedHandle,
  TaskDriver,
  TaskHandle,
  TaskLaunch,
} from "../driver/driver.ts";
import { driverErrors } from "../driver/errors.ts";
import { readCpu } from "../fingerprint/cpu.ts";
import { parseDockerConfig } from "./config.ts";
import { checkVolumeLinks, containerName, containerOf, type DockerPermissions } from "./container.ts";
import { ContainerHandle, type Inspected } from "./container-handle.ts";
import { DockerEngine, EngineRefusal, parseEngineAddress } from "./engine.ts";
import { Images } from "./images.ts";

export interface DockerDriverOptions {
  /** `unix:///run/docker.sock` or `tcp://host:port`; DOCKER_HOST of the agent's environment, else the usual socket. */
  readonly endpoint?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Nothing beyond what every container may where not given. */
  readonly permissions?: Partial<DockerPermissions>;
  readonly clock?: Clock;
}

/** Runs tasks as containers of a Docker engine. Throws `configuration` where its address has another form. */
export function dockerDriver(options: DockerDriverOptions = {}): TaskDriver {
  const env = options.env ?? process.env;
  const endpoint = options.endpoint || env["DOCKER_HOST"] || "unix:///var/run/docker.sock";
  const address = parseEngineAddress(endpoint);
  if (!address)
    throw new OperationalError(
      driverErrors.configuration,
      `The container engine's address cannot be ${endpoint}. Write unix:///path/to/docker.sock or tcp://host:port.`,
    );
  return new DockerDriver(new DockerEngine(address), {
    permissions: { privileged: false, hostVolumes: false, ...options.permissions },
    clock: options.clock ?? systemClock,
  });
}

class DockerDriver implements TaskDriver {
  readonly name = "docker";
  readonly #engine: DockerEngine;
  readonly #images: Images;
  readonly #permissions: DockerPermissions;
  readonly #clock: Clock;

  constructor(engine: DockerEngine, options: { readonly permissions: DockerPermissions; readonly clock: Clock }) {
    this.#engine = engine;
    this.#images = new Images(engine, options.clock);
    this.#permissions = options.permissions;
    this.#clock = options.clock;
  }

  async fingerprint(): Promise<DriverFingerprint> {
    try {
      const version = await this.#engine.json<{ Version: string; Os: string; ApiVersion: string }>({
        method: "GET",
        path: "/version",
      });
      return {
        detected: true,
        healthy: true,
        description: "Healthy",
        attributes: {
          "driver.docker.version": version.Version,
          "driver.docker.api_version": version.ApiVersion,
          "driver.docker.os_type": version.Os,
          "driver.docker.privileged.enabled": String(this.#permissions.privileged),
          "driver.docker.volumes.enabled": String(this.#permissions.hostVolumes),
        },
      };
    } catch (error) {
      // A refusal is an answer: an engine is there, and does not work.
      const detected = error instanceof EngineRefusal;
      return { detected, healthy: false, description: messageOf(error), attributes: {} };
    }
  }

  async start(launch: TaskLaunch): Promise<TaskHandle> {
    const config = parseDockerConfig(launch.config);
    const image = await this.#images.ensure(config, launch);
    const [secrets, { frequency }] = await Promise.all([realpath(launch.folders.secrets), readCpu()]);
    const body = containerOf(launch, config, { image, secrets, frequency }, this.#permissions);
    await checkVolumeLinks(config.volumes, launch, this.#permissions);
    let id: string | undefined;
    try {
      id = await this.#create(containerName(launch), body);
      launch.signal.throwIfAborted();
      // Before it runs, so that nothing of its output waits for the next agent.
      const following = await this.#follow(id, launch);
      await this.#engine.json({ method: "POST", path: `/containers/${id}/start` });
      return this.#handle(await this.#inspect(id), following);
    } catch (error) {
      if (id !== undefined) await this.#remove(id).catch(() => undefined);
      launch.signal.throwIfAborted();
      throw startFailure(error, config.image);
    }
  }

  async recover(saved: SavedHandle, launch: TaskLaunch): Promise<TaskHandle | undefined> {
    const { container: id, startedAt } = saved;
    if (typeof id !== "string" || typeof startedAt !== "number") return undefined;
    try {
      const found = await this.#inspect(id);
      return this.#handle(found, await this.#follow(id, launch));
    } catch (error) {
      if (error instanceof EngineRefusal && error.status === 404) return undefined;
      // The engine is not there yet, or not any more: its containers are not lost, and what became of them it will tell.
      if (!isKind(error, driverErrors.missing) && !(error instanceof EngineRefusal)) throw error;
      const following = await this.#follow(id, launch);
      return new ContainerHandle({ id, startedAt }, { engine: this.#engine, following, clock: this.#clock });
    }
  }

  // One of that name is left over from an agent that was killed before it could write down what it had started.
  async #create(name: string, body: unknown): Promise<string> {
    const path = `/containers/create?name=${encodeURIComponent(name)}`;
    for (let tries = 1; ; tries++) {
      try {
        const { Id } = await this.#engine.json<{ Id: string }>({ method: "POST", path, body });
        return Id;
      } catch (error) {
        const isTaken = error instanceof EngineRefusal && error.status === 409;
        if (!isTaken || tries === mostTries) throw error;
        await this.#remove(name);
      }
    }
  }

  #inspect(id: string): Promise<Inspected> {
    return this.#engine.json<Inspected>({ method: "GET", path: `/containers/${id}/json` });
  }

  async #remove(id: string): Promise<void> {
    await this.#engine.json({ method: "DELETE", path: `/containers/${encodeURIComponent(id)}?force=true&v=true` });
  }

  async #follow(id: string, { output }: TaskLaunch): Promise<Following> {
    invariant(output.follow, "a container's output is followed by the log process");
    return output.follow({ endpoint: this.#engine.endpoint, id });
  }

  #handle({ Id, State }: Inspected, following: Following): TaskHandle {
    const container = { id: Id, startedAt: Date.parse(State.StartedAt) };
    return new ContainerHandle(container, { engine: this.#engine, following, clock: this.#clock });
  }
}

const mostTries = 3;

// What the engine says of a start is often about the job: a command that is not in the image, a port that is taken.
function startFailure(error: unknown, image: string): unknown {
  if (!(error instanceof EngineRefusal)) return error;
  const said = messageOf(error).replace(/\.$/, "");
  const isJobs =
    error.status === 400 || /executable file not found|no such file or directory|permission denied/i.test(said);
  if (/port is already allocated|address already in use/i.test(said))
    return new OperationalError(
      driverErrors.failed,
      `The container does not start: ${said}. Stop what listens on that port of the node, or let the job have a dynamic one.`,
    );
  return new OperationalError(
    isJobs ? driverErrors.configuration : driverErrors.failed,
    `The container does not start: ${said}.${isJobs ? ` Look at the task's command and at what the image ${image} holds.` : ""}`,
  );
}
