import type { PlanOf, SentOf, StateOf, Unsettled } from "@millwright/provider/field-types";
import {
  blocks,
  bool,
  computed,
  list,
  map,
  number,
  optional,
  required,
  set,
  string,
} from "@millwright/provider/fields";
import { jobTypes, type serverAttributes } from "./job-attributes.ts";
import type { JobText } from "./job-spec.ts";

/** What a `nomad_job` is made of. */
export const jobFields = {
  id: optional(string, { computed: true }),
  jobspec: required(string, { description: 'The job, as text: file("web.nomad.hcl").' }),
  json: optional(bool, { description: "The jobspec is the API's JSON." }),
  hcl2: blocks.list(
    {
      allow_fs: optional(bool, { default: false, description: "Functions of the jobspec may read files." }),
      vars: optional(map(string), { description: "The values of the jobspec's variables." }),
    },
    { max: 1 },
  ),
  policy_override: optional(bool, { description: "Overrides what Sentinel policies recommend." }),
  preserve_counts: optional(bool, { default: false, description: "Groups that run keep their counts." }),
  preserve_resources: optional(bool, { default: false }),
  deregister_on_destroy: optional(bool, { default: true, description: "Destroying stops the job." }),
  deregister_on_id_change: optional(bool, { default: true, description: "Another id stops the job of the old one." }),
  purge_on_destroy: optional(bool, { description: "Destroying makes the server forget the job, too." }),
  detach: optional(bool, { default: true, description: "Does not wait until the job is healthy." }),
  rerun_if_dead: optional(bool, { default: false, description: "A job that has ended is run again." }),
  read_allocation_ids: optional(bool, { default: false, deprecated: "Use the data source nomad_allocations." }),
  timeouts: blocks.single({ create: optional(string), update: optional(string) }),
  name: computed(string),
  namespace: computed(string),
  region: computed(string),
  type: computed(string),
  datacenters: computed(set(string)),
  priority: computed(number),
  all_at_once: computed(bool),
  parent_id: computed(string),
  constraints: computed(jobTypes.constraints),
  update_strategy: computed(jobTypes.update_strategy),
  periodic_config: computed(jobTypes.periodic_config),
  task_groups: computed(jobTypes.task_groups),
  modify_index: computed(string),
  create_index: computed(number),
  submit_time: computed(string),
  version: computed(number),
  stable: computed(bool, { volatile: true }),
  status: computed(string, { volatile: true }),
  status_description: computed(string, { volatile: true }),
  stop: computed(bool),
  deployment_id: computed(string, { nullable: true }),
  deployment_status: computed(string, { nullable: true }),
  allocation_ids: computed(list(string), { volatile: true, deprecated: "Use the data source nomad_allocations." }),
};

export type JobPlan = PlanOf<typeof jobFields>;
export type JobState = StateOf<typeof jobFields>;

/** What a resource says of its job; undefined while some of it is not known. */
export function settledText({ jobspec, json, hcl2 }: Unsettled<Pick<JobPlan, keyof JobText>>): JobText | undefined {
  const options = hcl2?.[0];
  const isOpen =
    jobspec === undefined ||
    json === undefined ||
    hcl2 === undefined ||
    (hcl2.length > 0 && (!options || options.allow_fs === undefined || options.vars === undefined)) ||
    Object.values(options?.vars ?? {}).includes(undefined);
  return isOpen ? undefined : ({ jobspec, json, hcl2 } as JobText);
}

/** The same of what was sent to be created; undefined where the jobspec was not kept. */
export function sentText({ jobspec, json, hcl2 }: Pick<SentOf<typeof jobFields>, keyof JobText>): JobText | undefined {
  if (jobspec === null) return undefined;
  const options = (hcl2 ?? []).map((one) => ({ allow_fs: one?.allow_fs ?? false, vars: (one?.vars ?? null) as Vars }));
  return { jobspec, json, hcl2: options };
}

type Vars = Readonly<Record<string, string>> | null;

/** What nobody said of a job that is found on a server. */
export const unsaid = {
  json: null,
  hcl2: [],
  policy_override: null,
  preserve_counts: false,
  preserve_resources: false,
  deregister_on_destroy: true,
  deregister_on_id_change: true,
  purge_on_destroy: null,
  detach: true,
  rerun_if_dead: false,
  read_allocation_ids: false,
  timeouts: null,
  deployment_id: null,
  deployment_status: null,
} as const;

/** What the user says of a job, as its state has it beside what the server says. */
export type Said = Omit<JobState, keyof ReturnType<typeof serverAttributes> | "id" | "allocation_ids">;
