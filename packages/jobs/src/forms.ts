import { affinityShape, constraintShape, operandAttributes } from "./constraint.ts";
import type { LanguageForm } from "./decode-block.ts";
import { groupShape, jobShape } from "./job.ts";
import type { AnyRecord, Fields, Shape } from "./shape.ts";
import { many, optional, optionalFlag, optionalText } from "./shape.ts";
import { logsShape, taskShape, vaultShape } from "./task.ts";

/** What the job language lets people write beyond the fields of a job, and what it stands for. */
export const languageForms: ReadonlyMap<Shape, LanguageForm> = new Map<Shape, LanguageForm>([
  [jobShape, { fields: { tasks: many(taskShape, { language: "task" }), vault: optional(vaultShape) }, fold: foldJob }],
  [groupShape, { fields: { vault: optional(vaultShape) }, fold: foldVault }],
  [constraintShape, { fields: operandFields(), fold: foldOperand }],
  [affinityShape, { fields: operandFields(), fold: foldOperand }],
  [logsShape, { fields: { enabled: optionalFlag() }, fold: foldLogs }],
]);

/** A task without a group is one of a group of its own name; those stand before the groups. */
function foldJob({ tasks, vault, ...job }: AnyRecord): AnyRecord {
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
