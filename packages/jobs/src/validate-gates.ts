import { gateKinds, type GateSpec, isObjective, isWebAddress, readStatuses } from "@millwright/gates/gate-spec";
import { similar } from "@millwright/core/similar";
import type { Findings, Rule } from "./findings.ts";
import { checkRules } from "./findings.ts";
import type { JobGate } from "./gates.ts";
import type { Job } from "./job.ts";
import { minute, second } from "./nanoseconds.ts";

/** What is wrong with the gates of a job. */
export function checkGates(job: Job, findings: Findings): void {
  if (!job.gates) return;
  const { gates } = job.gates;
  if (job.type !== "service" || job.groups.every(({ update }) => !update || update.maxParallel === 0))
    findings.refuse(
      [],
      "Gates of a job that has no deployments",
      'They are asked between the batches of a deployment, which only a job of type "service" has that is updated in batches: take the gates away, or write max_parallel = 1 or more in an update block.',
    );
  if (gates.length > mostGates) findings.refuse([], `A job has ${gates.length} gates`, `Write ${mostGates} at most.`);
  if (job.gates.patience < 0) findings.refuse([], "Unsuitable Patience of gates", "Write a duration from 0.");
  const names = new Set<string>();
  for (const gate of gates) {
    checkRules(gate, gateRules, [], findings);
    if (names.has(gate.name)) findings.refuse([], `There are two ${called(gate)}`, "Give each gate a name of its own.");
    names.add(gate.name);
  }
}

function called({ name }: JobGate): string {
  return `gates ${JSON.stringify(name)}`;
}

function field(name: string): (gate: JobGate) => string {
  return (gate) => `Unsuitable ${name} of gate ${JSON.stringify(gate.name)}`;
}

const gateRules: readonly Rule<JobGate>[] = [
  [({ name }) => name !== "", () => "Missing name of a gate", "Say how it is called: Name."],
  [
    ({ kind }) => gateKinds.includes(kind as GateSpec["kind"]),
    ({ kind }) => {
      const near = similar(kind, gateKinds);
      return `Unknown kind of gate: ${JSON.stringify(kind)}${near ? `, did you mean ${JSON.stringify(near)}?` : ""}`;
    },
    `Write one of ${gateKinds.join(", ")} as its Kind.`,
  ],
  [
    ({ otherwise }) => otherwise === "stop" || otherwise === "back",
    field("Otherwise"),
    'Write "stop" (leave it as it is) or "back" (take it back).',
  ],
  [
    ({ kind, ...gate }) => parts.every((part) => (gate[part] !== null) === (part === kind)),
    ({ kind, name }) => `Gate ${JSON.stringify(name)} of the kind ${JSON.stringify(kind)} has not the part of its kind`,
    "Write HTTP, Command, Service or Budget, as its Kind is, and none of the others.",
  ],
  [
    (gate) => probesOf(gate).every(({ url }) => isWebAddress(url)),
    field("URL"),
    "Write an address that begins with http:// or https://.",
  ],
  [
    (gate) => probesOf(gate).every(({ status }) => readStatuses(status) !== undefined),
    field("Status"),
    'Write the statuses that are good: "200", or "200-399".',
  ],
  [
    (gate) => probesOf(gate).every(({ method }) => /^[A-Za-z]+$/.test(method)),
    field("Method"),
    'Write a method of HTTP: "GET".',
  ],
  [
    ({ command }) => !command || command.args.length > 0,
    field("Args"),
    'Write the program and its arguments: ["./smoke.sh", "--quick"].',
  ],
  [
    ({ service }) => !service || service.name !== "",
    field("Service.Name"),
    "Write the name that the service has in discovery.",
  ],
  [
    ({ service }) => !service || (service.least >= 0 && service.mostUnhealthy >= 0),
    field("Service.Least or MostUnhealthy"),
    "Write numbers from 0.",
  ],
  [
    ({ service }) => !service || service.address === null || isWebAddress(service.address),
    field("Service.Address"),
    "Write an address that begins with http:// or https://.",
  ],
  [
    ({ budget }) => !budget || isObjective(budget.objective),
    field("Objective"),
    "Write the share of what must go well, above 0 and at most 1: 0.999.",
  ],
  [
    ({ budget }) => !budget || (budget.prometheus === null) !== (budget.probe === null),
    ({ name }) => `Budget ${JSON.stringify(name)} without a source`,
    "It is read in one place: write Prometheus or Probe, and not both.",
  ],
  [
    ({ budget }) => !budget?.prometheus || isWebAddress(budget.prometheus.address),
    field("Prometheus.Address"),
    "Write an address that begins with http:// or https://.",
  ],
  [(gate) => durationsOf(gate).every((nanoseconds) => nanoseconds >= 0), field("duration"), "Write durations from 0."],
  [
    ({ every }) => every === null || every >= shortestEvery,
    field("Every"),
    "Servers look ten times a second at most: write 100ms or more.",
  ],
  [
    (gate) => timeoutsOf(gate).every((nanoseconds) => nanoseconds > 0 && nanoseconds <= longestTimeout),
    field("Timeout"),
    "Servers look at much else: write a timeout above 0 and of ten minutes at most.",
  ],
];

const parts = ["http", "command", "service", "budget"] as const;

const mostGates = 32;
const shortestEvery = 0.1 * second;
const longestTimeout = 10 * minute;

function probesOf({ http, budget }: JobGate) {
  return [http, budget?.probe].filter((probe) => probe !== null && probe !== undefined);
}

function durationsOf(gate: JobGate): readonly number[] {
  return [gate.for, gate.within, gate.every ?? 0, ...(gate.budget ? [gate.budget.window] : [])];
}

function timeoutsOf(gate: JobGate): readonly number[] {
  const { command, budget } = gate;
  return [...probesOf(gate), command, budget?.prometheus].flatMap((part) => (part ? [part.timeout] : []));
}
