import type { Findings, Rule } from "./findings.ts";
import { checkRules } from "./findings.ts";
import type { JobPart } from "./job-part.ts";
import { durationText, second } from "./nanoseconds.ts";
import type { Check, Service } from "./service.ts";

const onUpdates = ["require_healthy", "ignore_warnings", "ignore"];

const serviceRules: readonly Rule<Service>[] = [
  [
    ({ name }) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(name.replaceAll(/\$\{[^}]*\}/g, "ENV-VAR")),
    ({ name }) =>
      `Service name must be valid per RFC 1123 and can contain only alphanumeric characters or dashes and must be no longer than 63 characters: ${JSON.stringify(name)}`,
    "The name is looked up over DNS: write letters, digits and dashes.",
  ],
  [
    ({ addressMode }) => ["auto", "host", "driver", "alloc"].includes(addressMode),
    ({ addressMode }) => `Service address_mode must be "auto", "host", or "driver"; not ${JSON.stringify(addressMode)}`,
    "Correct address_mode, or leave it out for auto.",
  ],
  [
    ({ addressMode, address }) => addressMode === "auto" || address === "",
    () => 'Service address_mode must be "auto" if address is set',
    "Take address or address_mode away.",
  ],
  [
    ({ onUpdate }) => onUpdates.includes(onUpdate),
    ({ onUpdate }) =>
      `Service on_update must be "require_healthy", "ignore_warnings", or "ignore"; not ${JSON.stringify(onUpdate)}`,
    "Correct on_update, or leave it out for require_healthy.",
  ],
  [
    ({ provider }) => provider === "consul" || provider === "nomad",
    ({ provider }) => `Service provider must be "consul", or "nomad"; not ${JSON.stringify(provider)}`,
    "Correct provider, or leave it out for consul.",
  ],
];

const initialStatuses = ["", "passing", "warning", "critical"];

const checkFaults: readonly Rule<Check>[] = [
  [
    ({ type, path }) => type !== "http" || path !== "",
    () => "http type must have http path",
    'Say what is asked for: path = "/health.txt".',
  ],
  [
    ({ type, path }) => type !== "http" || !/^[a-z][a-z0-9+.-]*:/i.test(path),
    () => "http type must have relative http path",
    "Write the path alone; the address is the service's.",
  ],
  [
    ({ type, command }) => type !== "script" || command !== "",
    () => "script type must have a valid script path",
    'Say what is run: command = "…".',
  ],
  [
    ({ interval }) => interval !== 0,
    () => "missing required value interval. Interval cannot be less than 1s",
    'Say how often it is checked: interval = "10s".',
  ],
  [
    ({ interval }) => interval === 0 || interval >= second,
    ({ interval }) => `interval (${durationText(interval)}) cannot be lower than 1s`,
    "Write an interval of a second or more.",
  ],
  [
    ({ timeout }) => timeout !== 0,
    () => "missing required value timeout. Timeout cannot be less than 1s",
    'Say when no answer is a failure: timeout = "2s".',
  ],
  [
    ({ timeout }) => timeout === 0 || timeout >= second,
    ({ timeout }) => `timeout (${durationText(timeout)}) is lower than required minimum timeout 1s`,
    "Write a timeout of a second or more.",
  ],
  [
    ({ initialStatus }) => initialStatuses.includes(initialStatus),
    ({ initialStatus }) =>
      `invalid initial check state (${initialStatus}), must be one of "passing", "warning", "critical" or empty`,
    "Correct initial_status, or leave it out.",
  ],
  [
    ({ onUpdate }) => onUpdates.includes(onUpdate),
    ({ onUpdate }) =>
      `on_update must be "require_healthy", "ignore_warnings", or "ignore"; got ${JSON.stringify(onUpdate)}`,
    "Correct on_update, or leave it out for the service's.",
  ],
  [
    ({ onUpdate, checkRestart }) => onUpdate !== "ignore" || checkRestart === null,
    () => 'on_update value "ignore" is not compatible with check_restart',
    "Take one of the two away: a check that is ignored cannot restart a task.",
  ],
];

const checkTypes: Readonly<Record<string, readonly string[]>> = {
  consul: ["grpc", "http", "script", "tcp"],
  nomad: ["tcp", "http"],
};

/** Labels of ports that services may name: those of the group, and of the task. */
export type PortLabels = readonly ReadonlySet<string>[];

/** What is wrong with services, whose ports are known by these labels. */
export function checkServices(
  services: readonly Service[],
  labels: PortLabels,
  part: JobPart,
  findings: Findings,
): void {
  for (const service of services) {
    checkRules(service, serviceRules, part, findings);
    checkPort(service.port, service.name, labels, part, findings);
    for (const check of service.checks) checkCheck(check, service, labels, part, findings);
  }
  const providers = new Set(services.map(({ provider }) => provider));
  if (providers.size > 1) {
    const summary = "Multiple service providers used: task group services must use the same provider";
    findings.refuse(part, summary, "Register all services of a group with one provider.");
  }
}

function checkCheck(check: Check, service: Service, labels: PortLabels, part: JobPart, findings: Findings): void {
  const types = checkTypes[service.provider] ?? checkTypes["consul"]!;
  if (!types.includes(check.type)) {
    const summary = `invalid check type (${JSON.stringify(check.type)}), must be one of ${types.join(", ")}`;
    findings.refuse(part, summary, `Correct the type of the check ${JSON.stringify(check.name)}.`);
    return;
  }
  checkRules(check, checkFaults, part, findings);
  if (check.type === "script") return;
  if (check.port === "" && service.port === "") {
    const advice = 'Give the service a port by its label: port = "http".';
    findings.refuse(part, `check ${JSON.stringify(check.name)} is missing a port`, advice);
  }
  checkPort(check.port, service.name, labels, part, findings);
}

function checkPort(port: string, service: string, labels: PortLabels, part: JobPart, findings: Findings): void {
  if (port === "" || labels.some((some) => some.has(port)) || port.includes("${") || /^\d+$/.test(port)) return;
  const summary = `port label ${JSON.stringify(port)} referenced by services ${service} does not exist`;
  // Some of them: a job may have thousands, and as many services that name none of them.
  const some = labels.flatMap((set) => [...set.keys().take(mostNamed + 1)]);
  const named = some.slice(0, mostNamed).join(", ");
  const known = named === "" ? "There are none." : `There are: ${named}${some.length > mostNamed ? ", …" : ""}.`;
  findings.refuse(part, summary, `Declare it in a network block: port ${JSON.stringify(port)} { }. ${known}`);
}

const mostNamed = 10;
