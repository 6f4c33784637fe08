import { formatDuration, second } from "@millwright/text/duration";
import { formatRfc3339Nano } from "@millwright/text/time";
import { OperationalError } from "@millwright/core/errors";
import { secretsErrors } from "../errors.ts";
import { isObject } from "../objects.ts";
import type { Fields } from "../request-fields.ts";
import type { SecretHistory, SecretSettings } from "./history.ts";
import { mostVersions } from "./history.ts";

/** A version, as a read and a write tell it. */
export function versionData({ versions, settings }: SecretHistory, number: number): Readonly<Record<string, unknown>> {
  const state = versions[number];
  return {
    created_time: timeText(state?.created),
    custom_metadata: settings.custom ?? null,
    deletion_time: timeText(state?.deletion),
    destroyed: state?.destroyed ?? false,
    version: number,
  };
}

/** A secret without what its versions hold, as `metadata/` tells it. */
export function metadataData(history: SecretHistory): Readonly<Record<string, unknown>> {
  const { settings } = history;
  return {
    ...configData(settings),
    created_time: timeText(history.created),
    current_version: history.current,
    custom_metadata: settings.custom ?? null,
    oldest_version: history.oldest,
    updated_time: timeText(history.updated),
    versions: Object.fromEntries(
      Object.entries(history.versions).map(([number, { created, deletion, destroyed }]) => [
        number,
        { created_time: timeText(created), deletion_time: timeText(deletion), destroyed },
      ]),
    ),
  };
}

export function configData(settings: SecretSettings): Readonly<Record<string, unknown>> {
  return {
    cas_required: settings.casRequired,
    delete_version_after: formatDuration(BigInt(settings.deleteAfter) * second),
    max_versions: settings.maxVersions,
  };
}

export const settingNames: readonly string[] = ["max_versions", "cas_required", "delete_version_after"];

/** The settings that are given; `custom_metadata` is left to the caller. Throws `badRequest`, as the fields do. */
export function readSettings(fields: Fields): Partial<SecretSettings> {
  const maxVersions = fields.integer("max_versions");
  const casRequired = fields.boolean("cas_required");
  const deleteAfter = fields.seconds("delete_version_after");
  if (maxVersions !== undefined && (maxVersions < 0 || maxVersions > mostVersions))
    throw new OperationalError(
      secretsErrors.badRequest,
      `max_versions: 0 (for the default) to ${mostVersions} is expected`,
    );
  return {
    ...(maxVersions !== undefined && { maxVersions }),
    ...(casRequired !== undefined && { casRequired }),
    ...(deleteAfter !== undefined && { deleteAfter }),
  };
}

/** The names in an object without what they hold: null in its place, and below `depth`. */
export function subkeysOf(value: unknown, depth: number): unknown {
  if (!isObject(value) || depth === 0) return null;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, subkeysOf(part, depth - 1)]));
}

function timeText(milliseconds: number | undefined): string {
  return milliseconds === undefined
    ? ""
    : formatRfc3339Nano({ nanoseconds: BigInt(milliseconds) * 1_000_000n, offset: 0 });
}
