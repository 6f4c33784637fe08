import { nomadNodeErrors } from "@millwright/clients/nomad-node-client";
import { hasErrors } from "@millwright/core/diagnostics";
import { isKind, messageOf, OperationalError } from "@millwright/core/errors";
import { jobFromApi } from "@millwright/jobs/api";
import type { Job } from "@millwright/jobs/job";
import type { JobVersion } from "../allocation/host.ts";
import { agentErrors } from "../errors.ts";
import type { Orchestrator } from "./orchestrator.ts";
import type { Registrar } from "./registrar.ts";

/** Versions of jobs, each asked for once: they never change. */
export class JobCache {
  readonly #nodeId: string;
  readonly #orchestrator: Pick<Orchestrator, "job">;
  readonly #registrar: Pick<Registrar, "forgotten">;
  /** The newest last. */
  readonly #jobs = new Map<string, Promise<Job>>();

  constructor(options: {
    readonly nodeId: string;
    readonly orchestrator: Pick<Orchestrator, "job">;
    readonly registrar: Pick<Registrar, "forgotten">;
  }) {
    this.#nodeId = options.nodeId;
    this.#orchestrator = options.orchestrator;
    this.#registrar = options.registrar;
  }

  /** Rejects with an operational error; the next call asks again. */
  get(wanted: JobVersion, signal: AbortSignal): Promise<Job> {
    const key = JSON.stringify([wanted.namespace, wanted.id, wanted.version, wanted.submitted]);
    const known = this.#jobs.get(key);
    if (known) return known;
    const asked = this.#ask(wanted, signal);
    this.#jobs.set(key, asked);
    asked.catch(() => this.#jobs.delete(key));
    for (const oldest of this.#jobs.keys()) {
      if (this.#jobs.size <= mostKept) break;
      this.#jobs.delete(oldest);
    }
    return asked;
  }

  async #ask({ namespace, id, version }: JobVersion, signal: AbortSignal): Promise<Job> {
    try {
      const json = await this.#orchestrator.job({ node: this.#nodeId, namespace, job: id, version }, signal);
      const { value, diagnostics } = jobFromApi(json);
      if (!hasErrors(diagnostics)) return value;
      const why = diagnostics.map(({ summary, detail }) => `${summary}: ${detail}`).join("; ");
      throw new OperationalError(agentErrors.badJob, `Version ${version} of the job ${id} cannot be read: ${why}`);
    } catch (error) {
      if (isKind(error, nomadNodeErrors.notRegistered)) this.#registrar.forgotten(messageOf(error));
      throw error;
    }
  }
}

const mostKept = 256;
