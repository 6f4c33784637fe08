import type { ContractCase } from "@millwright/provider/testing/contract";

const update =
  'update {\n min_healthy_time = "0s"\n healthy_deadline = "9s"\n progress_deadline = "10s"\n stagger = "1s"\n}';

/** A job file: `group` and `task` are put inside of the group and its task, `rest` inside of the job. */
export function jobFile(name: string, { group = "", task = "", rest = "" } = {}): string {
  return `job "${name}" {
  ${update}
  ${rest}
  group "web" {
    ${group}
    task "server" {
      driver = "raw_exec"
      config {
        command = "/bin/server"
      }
      ${task}
    }
  }
}
`;
}

const counted = `variable "count" {\n  type = number\n}\n${jobFile("counted", { group: "count = var.count" })}`;
const here = { purge_on_destroy: true };

/** Lives of jobs, on a server whose nodes bring all up well. */
export const nomadLives: readonly ContractCase[] = [
  {
    type: "nomad_job",
    config: {
      ...here,
      jobspec: jobFile("web", { rest: "priority = 60\nmeta {\n a = 1\n}", task: "meta {\n b = 2\n}" }),
    },
    changes: [
      { ...here, jobspec: jobFile("web", { group: "count = 2" }), detach: false },
      // The same in other words, and nothing but what the server does not know.
      { ...here, jobspec: `# again\n${jobFile("web", { group: "count = 2" })}`, deregister_on_id_change: false },
      { ...here, jobspec: jobFile("web", { group: "count = 3" }), preserve_counts: true },
      { ...here, jobspec: jobFile("other") },
    ],
    importId: () => "web",
    interrupted: "present",
  },
  {
    type: "nomad_job",
    config: { ...here, jobspec: counted, hcl2: [{ vars: { count: "2" } }], detach: false, read_allocation_ids: true },
    changes: [
      { ...here, jobspec: counted, hcl2: [{ vars: { count: "1" } }], timeouts: { create: "1m", update: "20s" } },
      { ...here, jobspec: counted.replace("var.count", "1 + var.count"), hcl2: [{ vars: { count: "0" } }] },
    ],
    importId: () => "counted@default",
    interrupted: "present",
  },
  {
    type: "nomad_job",
    config: {
      ...here,
      json: true,
      jobspec: JSON.stringify({
        Job: {
          ID: "nightly",
          Type: "batch",
          Datacenters: ["dc1"],
          Constraints: [{ LTarget: "${attr.kernel.name}", RTarget: "linux", Operand: "=" }],
          TaskGroups: [{ Name: "g", Tasks: [{ Name: "t", Driver: "raw_exec", Config: { command: "/bin/true" } }] }],
        },
      }),
    },
    changes: [{ ...here, jobspec: jobFile("all", { rest: 'type = "system"' }), json: false, detach: false }],
    importId: () => "nightly",
    interrupted: "present",
  },
];
