import type { CheckRegistration, CheckStatus } from "@millwright/clients/consul-catalog";
import type { HealthCheck } from "@millwright/clients/consul-health";
import { blocks, bool, list, optional, required, string } from "@millwright/provider/fields";
import type { StateOf } from "@millwright/provider/field-types";
import { durationSeconds } from "./durations.ts";

const statuses = ["passing", "warning", "critical"];

/** A `check` block: what is to be asked of a service whose node runs no agent, for whoever asks it. */
export const checkFields = {
  check_id: required(string),
  name: required(string),
  interval: required(string),
  timeout: required(string),
  status: optional(string, {
    computed: true,
    check: (text) => (statuses.includes(text) ? undefined : `A status is one of ${statuses.join(", ")}.`),
  }),
  notes: optional(string, { default: "" }),
  http: optional(string, { default: "" }),
  method: optional(string, { default: "GET" }),
  header: blocks.set({ name: required(string), value: required(list(string)) }),
  tls_skip_verify: optional(bool, { default: false }),
  tcp: optional(string, { default: "" }),
  deregister_critical_service_after: optional(string, { default: "30s" }),
};

export type Check = StateOf<typeof checkFields>;

/** A block as it is registered. One whose status nobody has said is critical until somebody looks. */
export function registrationOf(
  check: Omit<Check, "status"> & { readonly status: string | undefined },
  serviceId: string,
): CheckRegistration {
  const { http, tcp, method, tls_skip_verify, interval, timeout } = check;
  const header = Object.fromEntries(check.header.map(({ name, value }) => [name, value]));
  return {
    checkId: check.check_id,
    name: check.name,
    status: statusOf(check.status),
    notes: check.notes,
    serviceId,
    definition: {
      ...(http === "" ? {} : { http }),
      ...(tcp === "" ? {} : { tcp }),
      ...(check.header.length > 0 ? { header } : {}),
      ...{ method, tlsSkipVerify: tls_skip_verify, interval, timeout },
      deregisterCriticalServiceAfter: check.deregister_critical_service_after,
    },
  };
}

/** A check of the catalog as a block; times that mean the same as before are written as before. */
export function blockOf({ checkId, name, status, notes, definition = {} }: HealthCheck, before?: Check): Check {
  const { http = "", tcp = "", method = "GET", header = {}, tlsSkipVerify = false } = definition;
  const duration = (told = "", written = "") => (isSameTime(told, written) ? written : told);
  return {
    ...{ check_id: checkId, name, status, notes, http, tcp, method, tls_skip_verify: tlsSkipVerify },
    header: Object.entries(header).map(([key, value]) => ({ name: key, value })),
    interval: duration(definition.interval, before?.interval),
    timeout: duration(definition.timeout, before?.timeout),
    deregister_critical_service_after: duration(
      definition.deregisterCriticalServiceAfter,
      before?.deregister_critical_service_after,
    ),
  };
}

function statusOf(text: string | undefined): CheckStatus {
  return text === "passing" || text === "warning" ? text : "critical";
}

function isSameTime(a: string, b: string): boolean {
  return a === b || (durationSeconds(a) !== undefined && durationSeconds(a) === durationSeconds(b));
}
