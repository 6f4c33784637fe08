import {
  listRequest,
  type NomadAnswer,
  type NomadApi,
  type NomadListOptions,
  type NomadReadOptions,
  segment,
} from "./nomad-api.ts";
import { type AllocationListStub, allocationListStub, type Evaluation, evaluation } from "./nomad-records.ts";
import { listOf } from "./nomad-wire.ts";

/** `/v1/evaluations` and `/v1/evaluation`. */
export class NomadEvaluations {
  readonly #api: NomadApi;

  constructor(api: NomadApi) {
    this.#api = api;
  }

  list(
    settings: NomadListOptions & { readonly job?: string; readonly status?: string } = {},
  ): Promise<NomadAnswer<readonly Evaluation[]>> {
    const { job, status, ...rest } = settings;
    const { path, query, options } = listRequest("/v1/evaluations", rest);
    return this.#api.read({ path, query: { ...query, job, status }, options }, listOf(evaluation));
  }

  /** Undefined where there is no such evaluation. */
  get(id: string, options: NomadReadOptions = {}): Promise<NomadAnswer<Evaluation | undefined>> {
    return this.#api.find({ path: `/v1/evaluation/${segment(id)}`, options }, evaluation);
  }

  /** What an evaluation placed, stopped or changed. */
  allocations(id: string, options: NomadReadOptions = {}): Promise<NomadAnswer<readonly AllocationListStub[]>> {
    return this.#api.read({ path: `/v1/evaluation/${segment(id)}/allocations`, options }, listOf(allocationListStub));
  }
}
