import type { Deferral, DeferralReason, Plan } from "@millwright/engine/plan";
import type { View } from "../io.ts";
import { styleOf, wrapText } from "./style.ts";

/** What is left to a later plan, and why. */
export function renderDeferrals(deferrals: Plan["deferrals"], view: View): string {
  const style = styleOf(view);
  const lines = deferrals.flatMap((deferral) => {
    const text = `${deferral.change.address.text}: ${deferralText(deferral)}`;
    const [first = "", ...rest] = wrapText(text, view.width - 6);
    return [`  - ${first}`, ...rest.map((line) => `    ${line}`)];
  });
  return `${style.bold("Put off")} until more is known. Apply this, then plan again:\n${lines.map((line) => `${line}\n`).join("")}`;
}

/** Why something is put off, for people. */
export function deferralText({ reason, after = [] }: Deferral): string {
  return after.length > 0 ? `it comes after ${after.join(", ")}` : texts[reason];
}

const texts: Readonly<Record<DeferralReason, string>> = {
  instance_count_unknown: "how many there are to be is not known yet",
  resource_config_unknown: "its provider needs more of its configuration than is known yet",
  provider_config_unknown: "its provider's own configuration is not known yet",
  absent_prereq: "something that it needs is not there yet",
  deferred_prereq: "it comes after something that is put off",
  unknown: "its provider has not said why",
};
