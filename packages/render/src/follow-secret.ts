import { clientErrors } from "@millwright/clients/errors";
import type { VaultSecret } from "@millwright/clients/vault";
import { OperationalError } from "@millwright/core/errors";
import type { FollowContext } from "./follow.ts";
import { type LeasePlan, planAfterRenewal, planLease } from "./lease-plan.ts";
import { oneLine, withRetries } from "./retry.ts";
import { listPath, readPath } from "./secret-path.ts";
import type { VaultMount } from "./servers.ts";
import type { Source } from "./source.ts";
import { isSameSecret, namesValue, secretValue } from "./values.ts";

type SecretSource = Extract<Source, { readonly kind: "secret" | "written" }>;

/** Reads a secret, keeps its lease alive, and reads a new one before it ends. */
export async function followSecret(source: SecretSource, context: FollowContext): Promise<void> {
  const { clock, chance, signal, settings } = context;
  let last: VaultSecret | undefined;
  while (!signal.aborted) {
    const { secret, mount } = await repeated(source.id, context, () => fetchSecret(source, context));
    hold(secret, context);
    if (!last || !isSameSecret(last, secret)) context.emit(secretValue(secret));
    last = secret;
    const plan = planLease(secret, {
      now: clock.now(),
      fraction: chance.fraction(),
      defaultMilliseconds: settings.defaultLeaseMilliseconds,
      threshold: settings.leaseThreshold,
      isStored: mount?.type === "kv" || mount?.type === "generic" || mount?.type === "cubbyhole",
    });
    await keep(source, secret, plan, context);
  }
}

/** The names under a path; read again at the default lease's pace, as there is nothing to wait on. */
export async function followNames(
  source: Extract<Source, { readonly kind: "names" }>,
  context: FollowContext,
): Promise<void> {
  const { servers, clock, signal, settings } = context;
  let last: string | undefined;
  while (!signal.aborted) {
    const names = await repeated(source.id, context, async () => {
      const mount = await servers.vault.mountOf(source.path, signal);
      return (await servers.vault.list(listPath(source.path, mount), signal)) ?? [];
    });
    const text = JSON.stringify(names);
    if (text !== last) context.emit(namesValue(names));
    last = text;
    await clock.sleep(settings.defaultLeaseMilliseconds, signal);
  }
}

async function fetchSecret(
  source: SecretSource,
  { servers, signal }: FollowContext,
): Promise<{ readonly secret: VaultSecret; readonly mount: VaultMount | undefined }> {
  const { vault } = servers;
  const mount = await vault.mountOf(source.path, signal);
  const path = readPath(source.path, mount);
  if (source.kind === "written") {
    const data = mount?.version === "2" ? { data: source.data } : source.data;
    return { secret: (await vault.write(path, data, signal)) ?? noAnswer, mount };
  }
  const secret = await vault.read(path, source.query, signal);
  if (secret && !isDeleted(secret, mount)) return { secret, mount };
  const text = `There is no secret at ${path} (${vault.address}). Write it there, or correct the path.`;
  throw new OperationalError(clientErrors.notFound, text);
}

/** What a write gives that the server has nothing to say about. */
const noAnswer: VaultSecret = {
  requestId: "",
  leaseId: "",
  leaseDuration: 0,
  renewable: false,
  data: undefined,
  warnings: [],
  raw: {},
};

/** A deleted version is an answer with nothing but its metadata. */
function isDeleted({ data }: VaultSecret, mount: VaultMount | undefined): boolean {
  return mount?.type === "kv" && mount.version === "2" && data?.data === null && "metadata" in data;
}

/** Returns when the secret is to be read anew. */
async function keep(
  source: SecretSource,
  secret: VaultSecret,
  first: LeasePlan,
  context: FollowContext,
): Promise<void> {
  const { clock, signal, log } = context;
  let plan = first;
  while (plan.kind === "renew") {
    await clock.sleep(plan.after, signal);
    const renewed = await renew(source, secret, plan, context);
    if (!renewed) return;
    log.write("debug", `${source.id}: renewed`, { seconds: renewed.leaseDuration });
    hold(renewed, context);
    plan = planAfterRenewal(plan.seconds, renewed);
  }
  await clock.sleep(plan.after, signal);
}

/** Tries until the lease is about to end; undefined where it cannot be renewed, and a new secret is needed now. */
async function renew(
  source: SecretSource,
  secret: VaultSecret,
  plan: Extract<LeasePlan, { readonly kind: "renew" }>,
  { servers, clock, log, signal }: FollowContext,
): Promise<VaultSecret | undefined> {
  const left = plan.endsAfter - plan.after;
  const deadline = clock.monotonic() + left * 0.8;
  for (let pause = Math.min(1000, left / 10); ; pause = Math.min(pause * 2, 60_000)) {
    try {
      return await servers.vault.renewLease(secret.leaseId, plan.seconds, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof OperationalError)) throw error;
      const isOver = !error.kind.retryable || clock.monotonic() + pause > deadline;
      const next = isOver ? "reading a new one" : "trying again";
      log.write("warn", `${source.id}: cannot renew the lease: ${oneLine(error.message)} (${next})`);
      if (isOver) return undefined;
      await clock.sleep(pause, signal);
    }
  }
}

function hold({ leaseId, leaseDuration }: VaultSecret, { clock, holds }: FollowContext): void {
  if (leaseId !== "") holds(leaseId, clock.now() + leaseDuration * 1000);
}

function repeated<T>(what: string, context: FollowContext, call: () => Promise<T>): Promise<T> {
  const { settings, clock, log, signal } = context;
  return withRetries({ what, policy: settings.vaultRetry, clock, log, signal }, call);
}
