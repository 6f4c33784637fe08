/** A machine that runs work. */
export type NodeId = string & { readonly __brand: "NodeId" };
/** One run of a group's tasks on a node. */
export type AllocId = string & { readonly __brand: "AllocId" };
/** The rollout of one version of a job. */
export type DeploymentId = string & { readonly __brand: "DeploymentId" };
/** One question to the scheduler. */
export type EvalId = string & { readonly __brand: "EvalId" };

/** The ids in texts that were checked to be such. */
export function nodeId(checked: string): NodeId {
  return checked as NodeId;
}

export function allocId(checked: string): AllocId {
  return checked as AllocId;
}

export function deploymentId(checked: string): DeploymentId {
  return checked as DeploymentId;
}

export function evalId(checked: string): EvalId {
  return checked as EvalId;
}
