import { OperationalError } from "@millwright/core/errors";
import type { MountConfig, MountEntry } from "../core/mount-table.ts";
import { mountOf, plainConfig } from "../core/mount-table.ts";
import type { MountSpec } from "../core/mounts.ts";
import { secretsErrors } from "../errors.ts";
import type { SystemTtl } from "../lease/leases.ts";
import { type Fields, fieldsOf } from "../request-fields.ts";

/** A mount as `sys/mounts` and `sys/auth` show it. */
export function mountView(entry: MountEntry): Readonly<Record<string, unknown>> {
  const { config, options } = entry;
  return {
    accessor: entry.accessor,
    config: {
      default_lease_ttl: config.defaultLeaseTtl,
      force_no_cache: false,
      max_lease_ttl: config.maxLeaseTtl,
      ...(entry.class === "auth" ? { token_type: "default-service" } : {}),
      ...(config.listingVisibility === "" ? {} : { listing_visibility: config.listingVisibility }),
      ...keyLists(config),
    },
    deprecation_status: "supported",
    description: entry.description,
    external_entropy_access: false,
    local: false,
    options: Object.keys(options).length > 0 ? options : null,
    plugin_version: "",
    running_plugin_version: "",
    running_sha256: "",
    seal_wrap: false,
    type: entry.type,
    uuid: entry.uuid,
  };
}

/** What `…/tune` shows: the lengths as they hold. */
export function tuneView(entry: MountEntry, system: SystemTtl): Readonly<Record<string, unknown>> {
  const { config, options, description } = entry;
  const { defaultLeaseTtl, maxLeaseTtl } = mountOf(entry, system);
  return {
    default_lease_ttl: defaultLeaseTtl,
    description,
    force_no_cache: false,
    max_lease_ttl: maxLeaseTtl,
    ...(config.listingVisibility === "" ? {} : { listing_visibility: config.listingVisibility }),
    ...keyLists(config),
    ...(Object.keys(options).length > 0 ? { options } : {}),
    ...(entry.class === "auth" ? { token_type: "default-service" } : {}),
  };
}

/** What a request to mount something says. `path` is whole, with a slash at its end. Throws `badRequest`. */
export function mountSpec(fields: Fields, where: Pick<MountSpec, "class" | "path">): MountSpec {
  const given = fields.text("type") ?? "";
  if (given === "") throw badRequest("backend type must be specified as a string");
  const options = { ...fieldsOf(fields.map("config") ?? {}).textMap("options"), ...fields.textMap("options") };
  const isVersion2 = given === "kv-v2";
  return {
    ...where,
    type: given === "kv-v1" || isVersion2 ? "kv" : given,
    description: fields.text("description") ?? "",
    options: isVersion2 ? { version: "2", ...options } : options,
    config: { ...plainConfig, ...configOf(fieldsOf(fields.map("config") ?? {})) },
  };
}

/** The fields of a mount's config that are given. Throws `badRequest`. */
export function configOf(fields: Fields): Partial<MountConfig> {
  const defaultLeaseTtl = ttlOf(fields, "default_lease_ttl");
  const maxLeaseTtl = ttlOf(fields, "max_lease_ttl");
  const visibility = fields.text("listing_visibility");
  if (visibility !== undefined && visibility !== "" && visibility !== "hidden" && visibility !== "unauth")
    throw badRequest('listing_visibility is "unauth" or "hidden"');
  const plainRequestKeys = fields.texts("audit_non_hmac_request_keys");
  const plainResponseKeys = fields.texts("audit_non_hmac_response_keys");
  return {
    ...(defaultLeaseTtl === undefined ? {} : { defaultLeaseTtl }),
    ...(maxLeaseTtl === undefined ? {} : { maxLeaseTtl }),
    ...(visibility === undefined ? {} : { listingVisibility: visibility }),
    ...(plainRequestKeys === undefined ? {} : { plainRequestKeys }),
    ...(plainResponseKeys === undefined ? {} : { plainResponseKeys }),
  };
}

/** Throws `badRequest` where a mount's default would be above its maximum. */
export function checkTtls(config: MountConfig, system: SystemTtl): void {
  const most = config.maxLeaseTtl || system.maxTtl;
  if (config.defaultLeaseTtl > most)
    throw badRequest(`backend default lease TTL (${config.defaultLeaseTtl}s) is above the maximum (${most}s)`);
}

// `system` puts a length back to the server's.
function ttlOf(fields: Fields, name: string): number | undefined {
  if (fields.has(name) && fields.text(name) === "system") return 0;
  const seconds = fields.seconds(name);
  if (seconds !== undefined && seconds < 0) throw badRequest(`${name} is not below 0`);
  return seconds;
}

function keyLists({ plainRequestKeys, plainResponseKeys }: MountConfig) {
  return {
    ...(plainRequestKeys.length > 0 ? { audit_non_hmac_request_keys: plainRequestKeys } : {}),
    ...(plainResponseKeys.length > 0 ? { audit_non_hmac_response_keys: plainResponseKeys } : {}),
  };
}

function badRequest(text: string): OperationalError {
  return new OperationalError(secretsErrors.badRequest, text);
}
