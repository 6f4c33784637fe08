import {
  listRequest,
  type NomadAnswer,
  type NomadApi,
  type NomadCallOptions,
  type NomadListOptions,
  type NomadReadOptions,
  segment,
} from "./nomad-api.ts";
import {
  type Allocation,
  allocation,
  type AllocationListStub,
  allocationListStub,
  type AllocationUsage,
  allocationUsage,
} from "./nomad-records.ts";
import { anything, listOf, record, text } from "./nomad-wire.ts";

/** `/v1/allocations`, `/v1/allocation`, and what the node of an allocation does with it. */
export class NomadAllocations {
  readonly #api: NomadApi;

  constructor(api: NomadApi) {
    this.#api = api;
  }

  list(options: NomadListOptions = {}): Promise<NomadAnswer<readonly AllocationListStub[]>> {
    const { path, query, options: rest } = listRequest("/v1/allocations", options);
    const request = { path, query: { ...query, task_states: true, resources: true }, options: rest };
    return this.#api.read(request, listOf(allocationListStub));
  }

  /** Undefined where there is no such allocation. The id has to be whole: {@link list} finds it by its beginning. */
  get(id: string, options: NomadReadOptions = {}): Promise<NomadAnswer<Allocation | undefined>> {
    return this.#api.find({ path: `/v1/allocation/${segment(id)}`, options }, allocation);
  }

  /** Stops an allocation; another is placed where its job wants one. Resolves to the evaluation's id. */
  async stop(id: string, options: NomadCallOptions = {}): Promise<string> {
    const request = { path: `/v1/allocation/${segment(id)}/stop`, options };
    return (await this.#api.write(request, record({ EvalID: text }))).EvalID;
  }

  /** Restarts a task in place, or all that run. */
  async restart(id: string, settings: NomadCallOptions & RestartOptions = {}): Promise<void> {
    const { task = "", all = false, ...options } = settings;
    const body = { TaskName: task, AllTasks: all };
    await this.#api.write({ path: `${clientPath(id)}/restart`, body, options }, anything);
  }

  /** Sends a signal, such as `SIGHUP`, to a task or to all that run. */
  async signal(
    id: string,
    signal: string,
    settings: NomadCallOptions & { readonly task?: string } = {},
  ): Promise<void> {
    const { task = "", ...options } = settings;
    await this.#api.write(
      { path: `${clientPath(id)}/signal`, body: { Task: task, Signal: signal }, options },
      anything,
    );
  }

  /** What its tasks use now. */
  async usage(id: string, options: NomadReadOptions = {}): Promise<AllocationUsage> {
    return (await this.#api.read({ path: `${clientPath(id)}/stats`, options }, allocationUsage)).value;
  }
}

export interface RestartOptions {
  readonly task?: string;
  /** Also tasks that have ended. */
  readonly all?: boolean;
}

function clientPath(id: string): string {
  return `/v1/client/allocation/${segment(id)}`;
}
