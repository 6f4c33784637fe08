import { NomadAgent } from "./nomad-agent.ts";
import { NomadAllocations } from "./nomad-allocations.ts";
import { type NomadAnswer, NomadApi, type NomadQuery, type NomadReadOptions, type NomadSettings } from "./nomad-api.ts";
import type { NomadConfig } from "./nomad-config.ts";
import { NomadDeployments } from "./nomad-deployments.ts";
import { NomadEvaluations } from "./nomad-evaluations.ts";
import { NomadFiles } from "./nomad-files.ts";
import { NomadJobs } from "./nomad-jobs.ts";
import { NomadNodes } from "./nomad-nodes.ts";
import { anything } from "./nomad-wire.ts";

/**
 * A typed client of Nomad's HTTP API, for what our own server has too. Opens no connection before its first call. Every call
 * rejects with an operational error of `clientErrors` that names the address and what to check; where the server refused,
 * its cause is a `NomadRefusal` with the server's own words.
 *
 * The constructor throws `badConfiguration` where the address or certificates cannot be used.
 */
export class NomadClient {
  readonly jobs: NomadJobs;
  readonly allocations: NomadAllocations;
  readonly evaluations: NomadEvaluations;
  readonly deployments: NomadDeployments;
  readonly nodes: NomadNodes;
  readonly files: NomadFiles;
  readonly agent: NomadAgent;
  readonly #api: NomadApi;

  constructor(config: NomadConfig, settings: NomadSettings = {}) {
    this.#api = new NomadApi(config, settings);
    this.jobs = new NomadJobs(this.#api);
    this.allocations = new NomadAllocations(this.#api);
    this.evaluations = new NomadEvaluations(this.#api);
    this.deployments = new NomadDeployments(this.#api);
    this.nodes = new NomadNodes(this.#api);
    this.files = new NomadFiles(this.#api);
    this.agent = new NomadAgent(this.#api);
  }

  /** The server's address, for messages. */
  get address(): string {
    return this.#api.address;
  }

  /** Ends its connections; calls under way fail. */
  close(): Promise<void> {
    return this.#api.close();
  }

  /** Any read in the server's own JSON, for what is passed on as it is; undefined where the answer is 404. */
  read(path: string, query: NomadQuery = {}, options: NomadReadOptions = {}): Promise<NomadAnswer<unknown>> {
    return this.#api.find({ path, query, options }, anything);
  }
}
