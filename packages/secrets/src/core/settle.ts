import { assertNever, invariant } from "@millwright/core/errors";
import type { Caller } from "../engine.ts";
import type { RouteReply } from "../http/route.ts";
import type { Leases } from "../lease/leases.ts";
import type { Tokens } from "../token/tokens.ts";
import { dataOutcome, doneOutcome, type Outcome, refusedOutcome } from "./outcome.ts";

export interface SettleContext {
  readonly leases: Leases;
  readonly tokens: Tokens;
  /** Of the request: `postgresql/creds/readonly`. */
  readonly path: string;
  readonly caller?: Caller;
}

/** Carries out what a reply asks for beside itself: a lease is stored, a token made. */
export async function settle(reply: RouteReply, context: SettleContext): Promise<Outcome> {
  const { leases, tokens, path, caller } = context;
  switch (reply.kind) {
    case "data":
      return { ...dataOutcome(reply.data, reply.warnings), leaseDuration: reply.leaseDuration ?? 0 };
    case "done":
      return doneOutcome(reply.warnings);
    case "missing":
      return reply.data ? { ...dataOutcome(reply.data), status: 404 } : refusedOutcome(404, []);
    case "refused":
      return refusedOutcome(reply.status, reply.errors);
    case "stored":
      return { ...dataOutcome({}), stored: reply.body };
    case "wrapped":
      return { ...doneOutcome(), status: 200, wrapInfo: reply.info };
    case "auth":
      return { ...doneOutcome(reply.warnings), status: 200, auth: reply.auth };
    case "login": {
      const auth = await tokens.create(reply.auth, path);
      return { ...doneOutcome(reply.warnings), status: 200, auth };
    }
    case "lease": {
      invariant(caller, "a lease belongs to a token");
      const { grant } = reply;
      const make = (expires: number) => reply.make(expires);
      const lease = await leases.grant({ path, grant, token: caller.token, make });
      return {
        ...dataOutcome(lease.data),
        leaseId: lease.id,
        renewable: lease.renewable,
        leaseDuration: lease.duration,
      };
    }
    case "renewed": {
      const { id, renewable, duration, warnings } = reply.lease;
      return { ...doneOutcome(warnings), status: 200, leaseId: id, renewable, leaseDuration: duration };
    }
    default:
      return assertNever(reply);
  }
}

/** Takes back what was made for an answer that cannot be given. */
export async function undo(outcome: Outcome, { leases, tokens }: SettleContext): Promise<void> {
  if (outcome.leaseId !== "") await leases.revoke(outcome.leaseId);
  const made = outcome.auth && (await tokens.find(outcome.auth.clientToken));
  if (made) await tokens.revoke(made.id);
}
