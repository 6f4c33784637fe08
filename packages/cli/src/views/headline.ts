import { resourceText } from "@millwright/engine/addresses";
import type { InstanceChange } from "@millwright/engine/plan";
import { identityText } from "@millwright/engine/identity";
import { isReplace } from "@millwright/engine/plan";
import { quoted } from "./literal.ts";
import type { Style } from "./style.ts";

/** What is planned for one object, and why, as the comment above it. */
export function planHeadline(change: InstanceChange, style: Style): string {
  const { action, address, previousAddress, importing, keepsOld } = change;
  if (action === "no-op" && previousAddress !== undefined && !importing)
    return `  # ${style.bold(previousAddress)} has moved to ${style.bold(address.text)}\n`;
  const origins = [
    ...(previousAddress === undefined ? [] : [`moved from ${previousAddress}`]),
    ...(importing && action !== "no-op" ? [`imported from ${importedFrom(importing)}`] : []),
    ...(importing?.generatedConfig === undefined ? [] : ["config will be generated"]),
    ...(keepsOld ? ["the old object stays as long as what needs it is put off"] : []),
  ];
  const lines = origins.map((text) => `  # (${text})\n`).join("");
  return comment(change, plannedWords(change, style), reasonText(change), style) + lines;
}

/** What was found to have become of one object since the last apply. */
export function driftHeadline(change: InstanceChange, style: Style): string {
  if (change.action === "no-op") return planHeadline(change, style);
  const words =
    change.action === "delete"
      ? `${style.bold("has been")} ${style.red(style.bold("deleted"))}`
      : style.bold("has changed");
  return comment(change, words, undefined, style);
}

function comment(
  { address, deposedKey }: InstanceChange,
  words: string,
  why: string | undefined,
  style: Style,
): string {
  const name = `${address.text}${deposedKey === undefined ? "" : ` (deposed object ${deposedKey})`}`;
  return `  # ${style.bold(name)} ${words}\n${why === undefined ? "" : `  # (${why})\n`}`;
}

function importedFrom({ id, identity }: NonNullable<InstanceChange["importing"]>): string {
  return identity ? identityText(identity) : quoted(id ?? "");
}

function plannedWords({ action, reason, importing }: InstanceChange, style: Style): string {
  const { bold } = style;
  const strong = (text: string) => style.red(bold(text));
  if (isReplace(action)) {
    switch (reason) {
      case "replace_because_tainted":
        return `${bold("is tainted, so it must be")} ${strong("replaced")}`;
      case "replace_by_request":
        return `${bold("will be")} ${strong("replaced")}${bold(", as requested")}`;
      case "replace_by_triggers":
        return `${bold("will be")} ${strong("replaced")}${bold(" due to changes in replace_triggered_by")}`;
      default:
        return `${bold("must be")} ${strong("replaced")}`;
    }
  }
  switch (action) {
    case "create":
      return bold("will be created");
    case "read":
      return bold("will be read during apply");
    case "delete":
      return `${bold("will be")} ${strong("destroyed")}`;
    case "forget":
      return `${bold("will no longer be managed, but")} ${strong("will not be destroyed")}`;
    case "no-op":
      return bold(importing ? "will be imported" : "is unchanged");
    default:
      return bold("will be updated in-place");
  }
}

function reasonText(change: InstanceChange): string | undefined {
  const { address, reason, deposedKey, previousAddress } = change;
  if (change.action === "forget") return "destroy = false is set in the configuration";
  if (deposedKey !== undefined) return "left over from a replacement that did not finish";
  switch (reason) {
    case "delete_because_no_resource_config":
      return `because ${resourceText(address.resource)} is not in configuration`;
    case "delete_because_enabled_false":
      return "because enabled is false";
    case "delete_because_no_move_target":
      return `because ${previousAddress ?? "it"} was moved to ${address.text}, which is not in configuration`;
    case "read_because_check_nested":
      return "config will be reloaded to verify a check block";
    case "delete_because_no_module":
      return `because ${address.module.text} is not in configuration`;
    case "delete_because_wrong_repetition":
      return repetitionText(address.key);
    case "delete_because_count_index":
      return `because index [${address.key}] is out of range for count`;
    case "delete_because_each_key":
      return `because key [${quoted(String(address.key))}] is not in for_each map`;
    case "read_because_config_unknown":
      return "config refers to values not yet known";
    case "read_because_dependency_pending":
      return "depends on a resource or a module with changes pending";
    default:
      return undefined;
  }
}

function repetitionText(key: string | number | undefined): string {
  if (typeof key === "number") return "because resource does not use count";
  return key === undefined ? "because resource uses count or for_each" : "because resource does not use for_each";
}
