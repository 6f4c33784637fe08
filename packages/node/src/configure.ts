import { OperationalError } from "@millwright/core/errors";
import { type CheckDefinition, parseCheck } from "./check-definition.ts";
import { nodeErrors } from "./errors.ts";
import type { Registry } from "./registry.ts";
import { type ParsedService, parseService } from "./service-definition.ts";
import { WireFields, WireMistake } from "@millwright/text/wire-fields";

/** What a configuration registers, in the form of Consul's configuration files. */
export interface Definitions {
  /** With their checks. */
  readonly services?: readonly unknown[];
  readonly checks?: readonly unknown[];
}

export interface ParsedDefinitions {
  readonly services: readonly ParsedService[];
  readonly checks: readonly { readonly check: CheckDefinition; readonly token: string }[];
}

/** Throws `badConfiguration`, naming the service or check. */
export function readDefinitions({ services = [], checks = [] }: Definitions): ParsedDefinitions {
  return {
    services: services.map((value) => explained(value, "service", () => parseService(value))),
    checks: checks.map((value) => explained(value, "check", () => readCheck(value))),
  };
}

/**
 * Registers what the configuration has, and deregisters what it had before and has no more. Throws `badConfiguration`
 * for a script where none may run, and for a check of a service that is not there; nothing is changed then.
 */
export function configure(
  registry: Registry,
  definitions: ParsedDefinitions,
  scriptChecks: "none" | "local" | "all",
): void {
  refuse(registry, definitions, scriptChecks);
  const services = new Set(definitions.services.map(({ service }) => service.id));
  const checks = new Set([
    ...definitions.checks.map(({ check }) => check.id),
    ...definitions.services.flatMap((service) => service.checks.map(({ id }) => id)),
  ]);
  for (const [id, { origin }] of registry.state.services)
    if (origin.from === "configuration" && !services.has(id)) registry.dispatch({ kind: "service-deregistered", id });
  for (const [id, { origin }] of registry.state.checks)
    if (origin.from === "configuration" && !checks.has(id)) registry.dispatch({ kind: "check-deregistered", id });
  for (const { service, checks: own, token } of definitions.services) {
    const origin = { from: "configuration", token } as const;
    registry.dispatch({ kind: "service-registered", service, checks: own, origin, replaceChecks: false });
  }
  for (const { check, token } of definitions.checks)
    registry.dispatch({ kind: "check-registered", check, origin: { from: "configuration", token } });
}

function refuse(
  registry: Registry,
  { services, checks }: ParsedDefinitions,
  scriptChecks: "none" | "local" | "all",
): void {
  const known = new Set([...registry.state.services.keys(), ...services.map(({ service }) => service.id)]);
  const all = [...services.flatMap((service) => service.checks), ...checks.map(({ check }) => check)];
  for (const { id, serviceId, probe } of all) {
    if (serviceId !== "" && !known.has(serviceId))
      throw bad(
        `The check ${JSON.stringify(id)} is about the service ${JSON.stringify(serviceId)}, which is not there. Define it, or correct service_id.`,
      );
    if (probe.kind === "script" && scriptChecks === "none")
      throw bad(
        `The check ${JSON.stringify(id)} runs a script, and scripts are disabled on this agent. Set enable_local_script_checks = true to run those of the configuration.`,
      );
  }
}

function readCheck(value: unknown): { readonly check: CheckDefinition; readonly token: string } {
  const fields = new WireFields(value, "a check");
  if (fields.text("Name") === "" && fields.text("ID") === "" && fields.text("CheckID") === "")
    throw new WireMistake("Missing check name");
  const check = parseCheck(value, { serviceId: "", id: "", name: fields.text("ID") || fields.text("CheckID") });
  return { check, token: fields.text("Token") };
}

function explained<T>(value: unknown, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof WireMistake)) throw error;
    throw bad(`The ${what} ${nameOf(value)} of the configuration cannot be used: ${error.message}.`);
  }
}

function nameOf(value: unknown): string {
  const { id, name, ID, Name } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return JSON.stringify(id ?? name ?? ID ?? Name ?? "without a name");
}

function bad(text: string): OperationalError {
  return new OperationalError(nodeErrors.badConfiguration, text);
}
