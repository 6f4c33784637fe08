import { jobFromApi } from "@millwright/jobs/api";
import { uses } from "@millwright/provider/call";
import { failure, problem } from "@millwright/provider/problem";
import { defineResource } from "@millwright/provider/resource";
import { parseDuration } from "@millwright/text/duration";
import type { NomadConnection } from "./connection.ts";
import { untilEnded } from "./job-end.ts";
import { jobFields, sentText, unsaid } from "./job-fields.ts";
import { planJob } from "./job-plan.ts";
import { changeJob, registerJob } from "./job-register.ts";
import { readJobSpec } from "./job-spec.ts";
import { sourceOf, stateOf } from "./job-state.ts";

/** `nomad_job`: a job and all that runs of it. */
export const nomadJob = defineResource({
  client: uses<NomadConnection>(),
  typeSystem: "legacy",
  schema: jobFields,
  *validate({ config }) {
    if (config.preserve_resources)
      yield problem("Resources cannot be preserved", "Leave preserve_resources out.", ["preserve_resources"]);
    for (const name of ["create", "update"] as const) {
      const text = config.timeouts?.[name];
      const parsed = text ? parseDuration(text) : undefined;
      if (parsed && !parsed.ok)
        yield problem("Not a duration", `${parsed.error}. Write one as "10m".`, ["timeouts", name]);
    }
  },
  plan: (call) => planJob(call),
  create: (call) => registerJob(call),
  update: (call) => changeJob(call),
  read: async ({ client: connection, state, signal }) => {
    const { value: record } = await connection.client.jobs.get(state.id, { namespace: state.namespace, signal });
    return record ? stateOf(connection, record, state, signal, state) : null;
  },
  delete: async ({ client: connection, state, signal, warn }) => {
    if (!state.deregister_on_destroy) return;
    const { id, namespace } = state;
    const { value: record } = await connection.client.jobs.get(id, { namespace, signal });
    if (!record) return;
    await connection.client.jobs.deregister(id, { namespace, signal, purge: state.purge_on_destroy === true });
    await untilEnded(connection, jobFromApi(record.Wire).value, { jobId: id, namespace, signal, warn });
  },
  import: async ({ client: connection, id: given, signal }) => {
    const [, id = given, namespace = "default"] = /^(.+)@([^@]+)$/.exec(given) ?? [];
    const { value: record } = await connection.client.jobs.get(id, { namespace, signal });
    if (!record) throw failure("No such job", `There is no job ${JSON.stringify(id)} in the namespace ${namespace}.`);
    return stateOf(connection, record, { ...unsaid, jobspec: await sourceOf(connection, record, signal) }, signal);
  },
  interrupted: async ({ client: connection, sent, signal }) => {
    const text = sentText(sent);
    if (!text) throw failure("The job is not known", "A job is found by its id, and its jobspec was not kept.");
    const { job, namespace } = readJobSpec(text);
    const { value: record } = await connection.client.jobs.get(job.id, { namespace, signal });
    if (!record || record.Stop) return null;
    const said = Object.fromEntries(Object.entries(sent).filter(([name, value]) => name in unsaid && value !== null));
    return stateOf(connection, record, { ...unsaid, ...said, ...text }, signal);
  },
});
