import { messageOf } from "@millwright/core/errors";
import { commitDraft } from "@millwright/records/commit";
import type { OrchestratorContext } from "../context.ts";
import type { Signer } from "./signer.ts";

const hour = 3_600_000;
/** A key is told for so long after it was last said to be in use: longer than any token lives that it has signed. */
const toldFor = 48 * hour;
const saidEvery = 12 * hour;
const againAfter = 5_000;

/** The public keys of all servers, as `/.well-known/jwks.json` has them. */
export function publishedKeys({ projection, clock }: OrchestratorContext): readonly Readonly<Record<string, string>>[] {
  return [...projection.state.rows("signer")].filter(({ until }) => until > clock.now()).map(({ jwk }) => jwk);
}

/** Says that this server's key is in use, and forgets those that are not any more. */
export async function publishKey(context: OrchestratorContext, { kid, jwk }: Signer): Promise<void> {
  const now = context.clock.now();
  await commitDraft(context, (draft) => {
    for (const row of draft.rows("signer", "")) if (row.until < now) draft.delete("signer", row.key);
    draft.put("signer", kid, { jwk, until: now + toldFor });
  });
}

/** Publishes the key again and again until the signal aborts. */
export async function keepPublished(context: OrchestratorContext, signer: Signer, signal: AbortSignal): Promise<void> {
  const { clock, log } = context;
  let pause = saidEvery;
  while (!signal.aborted) {
    await clock.sleep(pause, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      await publishKey(context, signer);
      pause = saidEvery;
    } catch (error) {
      log.write("warn", "jobs: the signing key could not be published", { error: messageOf(error) });
      pause = againAfter;
    }
  }
}
