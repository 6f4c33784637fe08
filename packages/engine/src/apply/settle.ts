import { errorDiagnostic } from "@millwright/core/diagnostics";
import { conforms } from "@millwright/provider/implied-type";
import type { ApplyAnswer } from "@millwright/provider/protocol";
import { transform } from "@millwright/value/path";
import type { Value } from "@millwright/value/value";
import { isKnown, isNull, isWhollyKnown, nullValue } from "@millwright/value/value";
import { disagreementText, resultDisagreements } from "../change/agreement.ts";
import { identityAs, identityDisagreements, judgeIdentity } from "../identity.ts";
import { providerDiagnostics, providerDied } from "../objects.ts";
import { withoutWrittenBack, writtenBack, writtenBackProblems } from "../write-only.ts";
import { report } from "../plan/run.ts";
import type { MakeTarget } from "./make.ts";
import type { ApplyRun } from "./run.ts";

/** What came of a call that makes or alters an object. */
export interface Settled {
  readonly ok: boolean;
  /** What is there now, without marks and wholly known; undefined for nothing. */
  readonly value: Value | undefined;
  readonly private: Uint8Array;
  readonly identity?: Value;
}

/**
 * Judges a provider's answer (none: it died). Whatever it answers, what it says is there is kept: errors come beside partial
 * state, not instead of it.
 */
export function settle(
  run: ApplyRun,
  target: MakeTarget,
  prior: Value,
  planned: Value,
  answer: ApplyAnswer | undefined,
  died: unknown,
): Settled {
  const { change, resource, schema } = target;
  const address = change.address.text;
  const isNew = isNull(prior);
  const before = isNew ? undefined : change.beforeIdentity;
  const named = identityAs("identity", before);
  const kept: Settled = { ok: false, value: isNew ? undefined : prior, private: change.priorPrivate, ...named };
  if (!answer) {
    report(run, [providerDied(address, "making the change", died)]);
    return kept;
  }
  let ok = report(run, providerDiagnostics(answer.diagnostics, address, resource.body));
  const complain = (summary: string, detail: string) => {
    // A provider that has reported an error is not held to the rest.
    if (ok) report(run, [errorDiagnostic(summary, `${detail}\n\n${blame}`, { address })]);
    ok = false;
  };
  const misfits = conforms(answer.newState, schema.block);
  if (misfits.length > 0) {
    complain(
      "Provider produced invalid object",
      `After the change the provider returned an object of ${address} that does not fit its own schema: ${misfits.map(disagreementText).join("; ")}.`,
    );
    return kept;
  }
  if (isNull(answer.newState)) {
    complain(
      "Provider returned invalid result object after apply",
      `After the apply operation, the provider still indicated no object for ${address}. All objects must exist after a successful apply.`,
    );
    return kept;
  }
  const secrets = writtenBack(answer.newState, schema.block);
  if (!report(run, writtenBackProblems(address, secrets, "after the change"))) ok = false;
  let value = withoutWrittenBack(answer.newState, secrets);
  if (!isWhollyKnown(value)) {
    complain(
      "Provider returned invalid result object after apply",
      `After the apply operation, the provider still indicated an unknown value for ${address}. All values must be known after apply, so this is always a bug in the provider. The unknown parts are kept as null.`,
    );
    value = withoutUnknown(value);
  }
  const judged = judgeIdentity(answer.identity, change.address, schema.identity, "apply");
  if (ok && !report(run, judged.diagnostics)) ok = false;
  const isHeld = ok && !answer.legacyTypeSystem;
  const wrong = isHeld ? resultDisagreements(schema.block, planned, value).map(disagreementText) : [];
  // An update that gives another identity is the provider's word; what is new was shown with the one that it would have.
  if (isHeld && isNew) wrong.push(...identityDisagreements(change.afterIdentity, judged.value));
  if (wrong.length > 0) {
    complain(
      "Provider produced inconsistent result after apply",
      `When applying changes to ${address}, the provider produced an unexpected new value: ${wrong.join("; ")}.`,
    );
  }
  return { ok, value, private: answer.private, ...identityAs("identity", judged.value ?? before) };
}

function withoutUnknown(value: Value): Value {
  return transform(value, (_, part) => (isKnown(part) ? part : nullValue(part.type)));
}

const blame = "This is a bug in the provider, which should be reported in the provider's own issue tracker.";
