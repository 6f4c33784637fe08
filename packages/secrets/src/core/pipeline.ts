import { OperationalError } from "@millwright/core/errors";
import type { HttpReply, HttpRequest } from "@millwright/core/http";
import type { AuditCaller, AuditEvent, AuditMount } from "../audit/audit-entry.ts";
import type { Caller, EngineRequest, Operation } from "../engine.ts";
import type { GuardedRoute, RouteReply } from "../http/route.ts";
import { refusal } from "../replies.ts";
import { fieldsOf } from "../request-fields.ts";
import { type Access, authorize } from "./authorize.ts";
import type { Core } from "./core.ts";
import type { Incoming } from "./incoming.ts";
import type { LiveMount } from "./mounts.ts";
import { envelope, type Outcome, outcomeReply, refusedOutcome } from "./outcome.ts";
import { type SettleContext, settle, undo } from "./settle.ts";

/** Who answers a request: a row of the table, what is mounted at its path, or nobody. */
export type Target =
  | { readonly kind: "route"; readonly route: GuardedRoute; readonly params: Readonly<Record<string, string>> }
  | { readonly kind: "mount"; readonly live: LiveMount; readonly below: string }
  | { readonly kind: "nobody" };

/**
 * Answers a request of an unsealed server: decides whether it may be, writes it to the audit, has it carried out, stores
 * leases and tokens, writes the answer to the audit, and gives it.
 */
export async function answerGuarded(
  request: HttpRequest,
  incoming: Incoming,
  target: Target,
  core: Core,
): Promise<HttpReply> {
  const id = core.chance.uuid();
  const access = await authorize(questionOf(incoming, target, request.remote), core);
  const used = access.kind === "open" ? undefined : access.used;
  const step: Step = { request, incoming, target, core, access, id };
  await writeAudit(step, "request", access.kind === "refused" ? refusedOutcome(403, access.errors) : undefined);
  try {
    const outcome = await carryOut(step);
    if (target.kind === "route" && !outcome.errors) await target.route.after?.();
    const isOnTop = target.kind === "route" && target.route.onTop === true;
    return outcomeReply(outcome, id, mountOf(step)?.type ?? "", isOnTop);
  } finally {
    if (used?.isLast) await core.tokens.revoke(used.caller.token);
  }
}

interface Step {
  readonly request: HttpRequest;
  readonly incoming: Incoming;
  readonly target: Target;
  readonly core: Core;
  readonly access: Access;
  readonly id: string;
}

async function carryOut(step: Step): Promise<Outcome> {
  const { access, core, incoming } = step;
  const caller = access.kind === "allowed" ? access.used.caller : undefined;
  const context: SettleContext = { ...core, path: incoming.path, ...(caller ? { caller } : {}) };
  const outcome = access.kind === "refused" ? refusedOutcome(403, access.errors) : await perform(step, context);
  try {
    const isWrapped = incoming.wrapTtl > 0 && !outcome.errors && outcome.status !== 204;
    const given = isWrapped ? await wrap(step, outcome) : outcome;
    await writeAudit(step, "response", given);
    return given;
  } catch (error) {
    // Nobody will ever hear of what was made for this answer: it does not stay.
    await undo(outcome, context);
    throw error;
  }
}

async function perform(step: Step, context: SettleContext): Promise<Outcome> {
  try {
    return await settle(await ask(step), context);
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return refusedOutcome(error.kind.status, [error.message]);
  }
}

function ask(step: Step): Promise<RouteReply> {
  const { target, access, core, incoming } = step;
  switch (target.kind) {
    case "nobody":
      return Promise.resolve(
        refusal(404, `no handler for route ${JSON.stringify(incoming.path)}. route entry not found.`),
      );
    case "mount":
      if (target.live.entry.isEnding)
        return Promise.resolve(
          refusal(400, `${target.live.entry.path} is being unmounted: its leases are being taken back`),
        );
      return target.live.engine.handle(engineRequest(step, target));
    case "route": {
      if (access.kind !== "allowed") return Promise.resolve(refusal(403, "permission denied"));
      const { used, acl, operation } = access;
      const { path, data, token } = incoming;
      return target.route.handle({
        core,
        operation,
        path,
        data,
        params: target.params,
        fields: fieldsOf(data),
        clientToken: token,
        caller: used.caller,
        token: used.view,
        acl,
      });
    }
  }
}

function engineRequest({ access, incoming, request }: Step, target: Target & { kind: "mount" }): EngineRequest {
  const operation = access.kind === "refused" ? incoming.operation : access.operation;
  const asked = { operation, path: target.below, data: incoming.data, remote: request.remote };
  if (access.kind !== "allowed") return asked;
  const { used, hasSudo } = access;
  const seesToken = target.live.entry.type === "token";
  return { ...asked, caller: used.caller, sudo: hasSudo, ...(seesToken ? { clientToken: incoming.token } : {}) };
}

async function wrap(step: Step, outcome: Outcome): Promise<Outcome> {
  const { core, incoming, target, id } = step;
  const isOnTop = target.kind === "route" && target.route.onTop === true;
  const body = outcome.stored ?? envelope(outcome, id, mountOf(step)?.type ?? "", isOnTop);
  const wrapped = outcome.auth ? { wrappedAccessor: outcome.auth.accessor } : {};
  const wrapInfo = await core.wrapping.wrap({ body, ttl: incoming.wrapTtl, creationPath: incoming.path, ...wrapped });
  return { status: 200, leaseId: "", renewable: false, leaseDuration: 0, warnings: outcome.warnings, wrapInfo };
}

function questionOf(incoming: Incoming, target: Target, remote: string) {
  const { operation, path, data, token, wrapTtl } = incoming;
  const exists = async (caller: Caller) => {
    if (target.kind !== "mount" || !target.live.engine.exists) return true;
    return target.live.engine.exists({ operation, path: target.below, data, caller, remote });
  };
  return {
    operation,
    path,
    onePath: onePathOf(incoming, target),
    data,
    token,
    wrapTtl,
    needs: needsOf(target),
    exists,
  };
}

function onePathOf({ path }: Incoming, target: Target): string {
  if (target.kind !== "mount") return path;
  const { entry, engine } = target.live;
  const one = engine.onePath?.(target.below) ?? target.below;
  return one === target.below ? path : entry.path + one;
}

function needsOf(target: Target): "open" | "token" | "policy" | "sudo" {
  if (target.kind === "nobody") return "policy";
  if (target.kind === "route") return target.route.permission.kind;
  const { live, below } = target;
  if (namesPath(live.engine.openPaths, below)) return "open";
  return namesPath(live.engine.sudoPaths, below) ? "sudo" : "policy";
}

function namesPath(patterns: readonly string[] = [], path: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern.replace(/\/$/, ""),
  );
}

async function writeAudit(step: Step, kind: "request" | "response", outcome: Outcome | undefined): Promise<void> {
  const { core, incoming, access, request, id } = step;
  const { path, data, token, wrapTtl } = incoming;
  const operation: Operation = access.kind === "refused" ? incoming.operation : access.operation;
  const caller = callerOf(access);
  const mount = mountOf(step);
  const error = outcome?.errors && outcome.errors.length > 0 ? outcome.errors.join("; ") : undefined;
  const event: AuditEvent = {
    kind,
    at: core.clock.now(),
    id,
    operation,
    path,
    data,
    remote: request.remote,
    clientToken: token,
    wrapTtl,
    ...(caller ? { caller } : {}),
    ...(mount ? { mount } : {}),
    ...(error === undefined ? {} : { error }),
    ...(kind === "response" && outcome ? { response: outcome } : {}),
  };
  await core.audit.write(event);
}

function callerOf(access: Access): AuditCaller | undefined {
  if (access.kind === "open" || !access.used) return undefined;
  const isAllowed = access.kind === "allowed";
  return { view: access.used.view, isAllowed, grantedBy: isAllowed ? access.grantedBy : [] };
}

function mountOf({ target, core }: Step): AuditMount | undefined {
  const entry =
    target.kind === "mount" ? target.live.entry : target.kind === "route" ? core.mounts.find("sys/")?.entry : undefined;
  if (!entry) return undefined;
  const { path, type, accessor, config } = entry;
  const { plainRequestKeys, plainResponseKeys } = config;
  return { path, type, accessor, class: entry.class, plainRequestKeys, plainResponseKeys };
}
