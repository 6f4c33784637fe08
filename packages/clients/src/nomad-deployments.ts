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
  type AllocationListStub,
  allocationListStub,
  type Deployment,
  deployment,
  type DeploymentUpdate,
  deploymentUpdate,
} from "./nomad-records.ts";
import { listOf } from "./nomad-wire.ts";

/** `/v1/deployments` and `/v1/deployment`. */
export class NomadDeployments {
  readonly #api: NomadApi;

  constructor(api: NomadApi) {
    this.#api = api;
  }

  list(options: NomadListOptions = {}): Promise<NomadAnswer<readonly Deployment[]>> {
    return this.#api.read(listRequest("/v1/deployments", options), listOf(deployment));
  }

  /** Undefined where there is no such deployment. */
  get(id: string, options: NomadReadOptions = {}): Promise<NomadAnswer<Deployment | undefined>> {
    return this.#api.find({ path: `/v1/deployment/${segment(id)}`, options }, deployment);
  }

  allocations(id: string, options: NomadReadOptions = {}): Promise<NomadAnswer<readonly AllocationListStub[]>> {
    const path = `/v1/deployment/allocations/${segment(id)}`;
    return this.#api.read({ path, options }, listOf(allocationListStub));
  }

  /** Lets the canaries of these groups take the place of what they were tried beside; of all groups where none is named. */
  promote(id: string, groups: readonly string[] = [], options: NomadCallOptions = {}): Promise<DeploymentUpdate> {
    const body = { DeploymentID: id, All: groups.length === 0, Groups: groups };
    return this.#update("promote", id, body, options);
  }

  /** Ends a deployment as failed; a job that wants it goes back to its last stable version. */
  fail(id: string, options: NomadCallOptions = {}): Promise<DeploymentUpdate> {
    return this.#update("fail", id, undefined, options);
  }

  pause(id: string, options: NomadCallOptions = {}): Promise<DeploymentUpdate> {
    return this.#update("pause", id, { DeploymentID: id, Pause: true }, options);
  }

  resume(id: string, options: NomadCallOptions = {}): Promise<DeploymentUpdate> {
    return this.#update("pause", id, { DeploymentID: id, Pause: false }, options);
  }

  #update(what: string, id: string, body: unknown, options: NomadCallOptions): Promise<DeploymentUpdate> {
    return this.#api.write({ path: `/v1/deployment/${what}/${segment(id)}`, body, options }, deploymentUpdate);
  }
}

/** Whether all its canaries are healthy, and it waits for somebody to let them take over: with gates, these do. */
export function needsPromotion({ Status, TaskGroups, Gates }: Deployment): boolean {
  return (
    Status === "running" &&
    Gates === null &&
    Object.values(TaskGroups).some(
      ({ DesiredCanaries, HealthyAllocs, Promoted, AutoPromote }) =>
        DesiredCanaries > 0 && HealthyAllocs >= DesiredCanaries && !Promoted && !AutoPromote,
    )
  );
}
