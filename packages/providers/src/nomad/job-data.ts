import { jobFromApi } from "@millwright/jobs/api";
import { uses } from "@millwright/provider/call";
import { defineDataSource } from "@millwright/provider/data-source";
import { bool, computed, list, number, optional, required, string } from "@millwright/provider/fields";
import { failure } from "@millwright/provider/problem";
import type { NomadConnection } from "./connection.ts";
import { jobTypes, serverAttributes } from "./job-attributes.ts";

/** `data "nomad_job"`: a job that is there, whoever registered it. */
export const nomadJobData = defineDataSource({
  client: uses<NomadConnection>(),
  schema: {
    id: optional(string, { computed: true }),
    job_id: required(string),
    namespace: optional(string, { description: "default when left out." }),
    name: computed(string),
    type: computed(string),
    region: computed(string),
    datacenters: computed(list(string)),
    priority: computed(number),
    all_at_once: computed(bool),
    parent_id: computed(string),
    constraints: computed(jobTypes.constraints),
    update_strategy: computed(jobTypes.update_strategy),
    periodic_config: computed(jobTypes.periodic_config),
    task_groups: computed(jobTypes.task_groups),
    create_index: computed(number),
    modify_index: computed(number),
    job_modify_index: computed(number),
    submit_time: computed(string),
    version: computed(number),
    stable: computed(bool),
    status: computed(string),
    status_description: computed(string),
    stop: computed(bool),
  },
  read: async ({ client: { client }, config, signal }) => {
    const { job_id } = config;
    const namespace = config.namespace || "default";
    const { value: record } = await client.jobs.get(job_id, { namespace, signal });
    if (!record) {
      const advice = "Check the id, and the namespace; one that this run registers belongs into depends_on.";
      throw failure(
        "No such job",
        `There is no job ${JSON.stringify(job_id)} in the namespace ${namespace}. ${advice}`,
      );
    }
    const { value: job } = jobFromApi(record.Wire);
    return {
      ...serverAttributes(record),
      ...{ id: record.ID, job_id, namespace, name: job.name },
      modify_index: record.ModifyIndex,
      job_modify_index: record.JobModifyIndex,
    };
  },
});
