import { createHash } from "node:crypto";
import type { NodeAllocation } from "@millwright/clients/nomad-node-protocol";
import { OperationalError } from "@millwright/core/errors";
import { durationText } from "@millwright/jobs/nanoseconds";
import type { Check, CheckRestart, Service } from "@millwright/jobs/service";
import { hostPort } from "./environment.ts";
import { allocationErrors } from "./errors.ts";
import type { ServiceRegistration } from "./host.ts";
import { interpolateAll, type Names } from "./interpolate.ts";

/** Whose services they are. */
export interface ServiceOwner {
  readonly wanted: NodeAllocation;
  /** The task, or `group-` and the group. */
  readonly owner: string;
  /** Null for the group's. */
  readonly task: string | null;
  readonly address: string;
  readonly names: Names;
  readonly allowsScripts: boolean;
}

/** A service as it is registered, and what follows from its checks. */
export interface RegisteredService {
  readonly registration: ServiceRegistration;
  readonly checks: readonly RegisteredCheck[];
}

export interface RegisteredCheck {
  readonly id: string;
  readonly name: string;
  /** Whether the allocation is not healthy without it. */
  readonly isRequired: boolean;
  /** Whose task is restarted when it fails for long. */
  readonly task: string | null;
  readonly restart: CheckRestart | null;
  /** Nanoseconds. */
  readonly interval: number;
}

/** Services with everything interpolated, in the JSON that a node registers them by. Throws `refused` for what cannot be registered. */
export function serviceRegistrations(services: readonly Service[], owner: ServiceOwner): readonly RegisteredService[] {
  return services.map((service) => registered(interpolateAll(service, owner.names), owner));
}

function registered(service: Service, owner: ServiceOwner): RegisteredService {
  const { name, port } = service;
  if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i.test(name)) {
    throw refused(
      `${JSON.stringify(name)} is no name for a service: letters, digits and dashes, 63 at most, no dash at an end.`,
    );
  }
  const { ID, Deployment } = owner.wanted;
  const id = `_nomad-task-${ID}-${owner.owner}-${name}-${port}`;
  const isCanary = Deployment?.Canary === true;
  const address = service.address === "" ? owner.address : service.address;
  const number = portOf(port, owner) ?? 0;
  const checks = service.checks.map((check, index) => checkOf(check, { index, id, address, service, owner }));
  return {
    registration: {
      ID: id,
      Name: name,
      Tags: isCanary && service.canaryTags.length > 0 ? service.canaryTags : service.tags,
      Address: address,
      Port: number,
      Meta: { ...service.meta, ...(isCanary ? service.canaryMeta : {}), "external-source": "nomad" },
      EnableTagOverride: service.enableTagOverride,
      ...(Object.keys(service.taggedAddresses).length === 0 ? {} : { TaggedAddresses: taggedOf(service, number) }),
      ...(service.weights ? { Weights: { Passing: service.weights.passing, Warning: service.weights.warning } } : {}),
      Checks: checks.map(({ definition }) => definition),
    },
    checks: checks.map(({ registered: check }) => check),
  };
}

interface CheckPlace {
  readonly index: number;
  /** The service's. */
  readonly id: string;
  readonly address: string;
  readonly service: Service;
  readonly owner: ServiceOwner;
}

function checkOf(check: Check, place: CheckPlace) {
  const { id, index, owner } = place;
  const hash = createHash("sha1").update(`${id} ${index} ${check.type} ${check.name}`).digest("hex");
  const checkId = `_nomad-check-${hash}`;
  const definition: Readonly<Record<string, unknown>> = {
    CheckID: checkId,
    Name: check.name,
    Notes: check.notes,
    Status: check.initialStatus || "critical",
    Interval: durationText(check.interval),
    Timeout: durationText(check.timeout),
    SuccessBeforePassing: check.successBeforePassing,
    FailuresBeforeCritical: check.failuresBeforeCritical,
    ...(check.failuresBeforeWarning > 0 ? { FailuresBeforeWarning: check.failuresBeforeWarning } : {}),
    ...probeOf(check, place),
  };
  const registered: RegisteredCheck = {
    id: checkId,
    name: check.name,
    isRequired: check.onUpdate !== "ignore",
    task: check.task === "" ? owner.task : check.task,
    restart: check.checkRestart && check.checkRestart.limit > 0 ? check.checkRestart : null,
    interval: check.interval,
  };
  return { definition, registered };
}

function probeOf(check: Check, place: CheckPlace): Readonly<Record<string, unknown>> {
  switch (check.type) {
    case "http": {
      const { protocol, path, method, header, body, tlsSkipVerify, tlsServerName } = check;
      const url = new URL(path, `${protocol || "http"}://${checkAddress(check, place)}`);
      const tls = { TLSSkipVerify: tlsSkipVerify, ...(tlsServerName === "" ? {} : { TLSServerName: tlsServerName }) };
      return { HTTP: url.href, Method: method || "GET", Header: header, Body: body, ...tls };
    }
    case "tcp":
      return { TCP: checkAddress(check, place) };
    case "script":
      if (place.owner.allowsScripts) return { Args: [check.command, ...check.args] };
      throw refused(
        `The check ${JSON.stringify(check.name)} runs a script, which this node does not allow. Write an http or tcp check.`,
      );
    default:
      throw refused(
        `The check ${JSON.stringify(check.name)} is of the type ${JSON.stringify(check.type)}, which does not run here. Write an http or tcp check.`,
      );
  }
}

function checkAddress(check: Check, { address, service, owner }: CheckPlace): string {
  const label = check.port === "" ? service.port : check.port;
  const port = portOf(label, owner);
  if (port !== undefined) return hostPort(address, port);
  throw refused(`The check ${JSON.stringify(check.name)} has no port to ask. Name one in the service or in the check.`);
}

/** By its label among the task's ports and the group's, or a number; undefined for none. */
function portOf(label: string, { wanted, task }: ServiceOwner): number | undefined {
  if (label === "") return undefined;
  if (/^\d+$/.test(label)) return Number(label);
  const named = wanted.Ports.filter(({ Label }) => Label === label);
  const found = named.find(({ Task }) => Task === task) ?? named.find(({ Task }) => Task === null) ?? named[0];
  if (found) return found.Value;
  const known = wanted.Ports.map(({ Label }) => Label);
  const hint = known.length === 0 ? "It has none" : `It has ${known.join(", ")}`;
  throw refused(`A service names the port ${JSON.stringify(label)}, which this allocation does not have. ${hint}.`);
}

function taggedOf({ taggedAddresses }: Service, port: number): ServiceRegistration["TaggedAddresses"] & object {
  return Object.fromEntries(Object.entries(taggedAddresses).map(([tag, Address]) => [tag, { Address, Port: port }]));
}

function refused(text: string): OperationalError {
  return new OperationalError(allocationErrors.refused, text);
}
