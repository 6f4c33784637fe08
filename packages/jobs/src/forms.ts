import type { BlockSchema } from "@millwright/hcl/body-schema";
import { affinityShape, constraintShape, operandAttributes } from "./constraint.ts";
import type { LanguageForm } from "./decode-block.ts";
import { groupShape, jobShape } from "./job.ts";
import { serviceShape } from "./service.ts";
import type { AnyRecord, Fields, Shape } from "./shape.ts";
import { many, optional, optionalFlag, optionalText } from "./shape.ts";
import { logsShape, taskShape, vaultShape } from "./task.ts";

/** Attributes of a job that nothing here uses. */
export const unusedTokens = ["vault_token", "consul_token"] as const;

/** What the job language lets people write beyond the fields of a job, and what it stands for. */
export const languageForms: ReadonlyMap<Shape, LanguageForm> = new Map<Shape, LanguageForm>([
  [jobShape, { fields: jobFields(), fold: foldJob, refused: [block("multiregion"), block("secret", "name")] }],
  [groupShape, { fields: { vault: optional(vaultShape) }, fold: foldVault, refused: [block("secret", "name")] }],
  [taskShape, { fields: {}, fold: (task) => task, refused: refusedOfTask() }],
  [serviceShape, { fields: {}, fold: (service) => service, refused: [block("connect")] }],
  [constraintShape, { fields: operandFields(), fold: foldOperand }],
  [affinityShape, { fields: operandFields(), fold: foldOperand }],
  [logsShape, { fields: { enabled: optionalFlag() }, fold: foldLogs }],
]);

function block(type: string, ...labelNames: readonly string[]): BlockSchema {
  return { type, labelNames };
}

function refusedOfTask(): readonly BlockSchema[] {
  return [block("csi_plugin"), block("scaling", "name"), block("secret", "name"), block("schedule")];
}

/** Tokens in a job file are read, as old files have them, and not used; {@link unusedTokens} says so. */
function jobFields(): Fields {
  const tokens = Object.fromEntries(unusedTokens.map((name) => [name, optionalText()]));
  return { tasks: many(taskShape, { language: "task" }), vault: optional(vaultShape), ...tokens };
}

/** A task without a group is one of a group of its own name; those stand before the groups. */
function foldJob({ tasks, vault, vault_token: _vault, consul_token: _consul, ...job }: AnyRecord): AnyRecord {
  const lone = recordsIn(tasks).map((task) => ({ name: task["name"], count: 1, tasks: [task] }));
  const groups = [...lone, ...recordsIn(job["groups"])].map((group) => foldVault({ ...group, vault }));
  return { ...job, groups };
}

/** The token that is asked for around tasks is that of each of them that asks for none itself. */
function foldVault({ vault, ...group }: AnyRecord): AnyRecord {
  if (!vault) return group;
  return { ...group, tasks: recordsIn(group["tasks"]).map((task) => ({ vault, ...task })) };
}

function operandFields(): Fields {
  return Object.fromEntries(
    operandAttributes.map((name) => [name, name === "distinct_hosts" ? optionalFlag() : optionalText()]),
  );
}

/** `regexp = "x"` says the operator and its right side; of `distinct_property` the text is the left side. */
function foldOperand(record: AnyRecord): AnyRecord {
  const said = operandAttributes.find((name) => record[name] !== undefined);
  const folded = Object.fromEntries(
    Object.entries(record).filter(([name]) => !operandAttributes.some((operand) => operand === name)),
  );
  if (said === undefined) return folded;
  const side = said === "distinct_property" ? "lTarget" : "rTarget";
  return { ...folded, operand: said, [side]: String(record[said]) };
}

function foldLogs({ enabled, ...logs }: AnyRecord): AnyRecord {
  return enabled === undefined ? logs : { disabled: !enabled, ...logs };
}

function recordsIn(value: unknown): readonly AnyRecord[] {
  return (value ?? []) as readonly AnyRecord[];
}
