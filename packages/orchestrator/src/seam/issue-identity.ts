import type { IdentityAnswer } from "@millwright/clients/nomad-node-protocol";
import { allocId, type NodeId } from "@millwright/scheduler/ids";
import { refusal } from "../errors.ts";
import { claimsOf, identityOf } from "../identity/workload-identity.ts";
import { jobVersionKey } from "../keys.ts";
import type { SeamContext } from "./node-routes.ts";

/**
 * Signs the identity of a task, for the node that runs it: refused for an allocation of another node, for one that is to end or
 * has ended, and for an identity that the task does not have.
 */
export async function issueIdentity(
  context: SeamContext,
  node: NodeId,
  asked: { readonly allocation: string; readonly task: string; readonly name: string },
): Promise<IdentityAnswer> {
  const { projection, clock, chance, signer, identity } = context;
  await projection.fresh();
  const { state } = projection;
  const row = state.row("alloc", allocId(asked.allocation));
  if (!row || row.allocation.node !== node)
    throw refusal("denied", `Permission denied: the node ${node} has no allocation ${asked.allocation}`);
  const { allocation } = row;
  const client = state.row("client", allocation.id)?.status ?? "pending";
  if (allocation.desired !== "run" || (client !== "pending" && client !== "running"))
    throw refusal("denied", `Permission denied: the allocation ${allocation.id} has ended, or is to end`);
  const version = state.row("jobversion", jobVersionKey(allocation.namespace, allocation.job, allocation.version));
  const group = version?.job.groups.find(({ name }) => name === allocation.group);
  const task = group?.tasks.find(({ name }) => name === asked.task);
  if (!version || !task) throw refusal("notFound", `The allocation ${allocation.id} has no task "${asked.task}"`);
  const wanted = identityOf({ task }, asked.name);
  if (!wanted) throw refusal("notFound", `The task "${task.name}" has no identity "${asked.name}"`);
  const now = Math.floor(clock.now() / 1_000);
  const workload = { region: identity.region, allocation, job: version.job, task };
  const token = await signer.sign(claimsOf(workload, asked.name, { now, ...wanted }, chance.uuid()));
  return { Token: token, Expires: (now + wanted.seconds) * 1_000 };
}
