import { crc32 } from "node:zlib";
import { uses } from "@millwright/provider/call";
import { defineDataSource } from "@millwright/provider/data-source";
import type { ConfigOf } from "@millwright/provider/field-types";
import { blocks, computed, list, optional, required, string } from "@millwright/provider/fields";
import type { VaultConnection } from "./connection.ts";
import { placeFields } from "./fields.ts";

const parameterFields = { key: required(string), value: required(list(string)) };

const ruleFields = {
  path: required(string),
  capabilities: required(list(string)),
  description: optional(string),
  required_parameters: optional(list(string)),
  subscribe_event_types: optional(list(string)),
  allowed_parameter: blocks.list(parameterFields),
  denied_parameter: blocks.list(parameterFields),
  min_wrapping_ttl: optional(string),
  max_wrapping_ttl: optional(string),
};

type Rule = ConfigOf<typeof ruleFields>;
type Parameters = Rule["allowed_parameter"];

/** `data "vault_policy_document"`: a policy as text, out of its rules. It asks no server. */
export const vaultPolicyDocument = defineDataSource({
  client: uses<VaultConnection>(),
  schema: { ...placeFields, rule: blocks.list(ruleFields), hcl: computed(string) },
  read: ({ config }) => {
    const hcl = config.rule.map(ruleText).join("\n");
    return { ...config, hcl, id: String(crc32(hcl)) };
  },
});

function ruleText(rule: Rule): string {
  const lines = [
    `capabilities = ${listText(rule.capabilities)}`,
    ...listLine("required_parameters", rule.required_parameters),
    ...listLine("subscribe_event_types", rule.subscribe_event_types),
    ...parameterLines("allowed_parameters", rule.allowed_parameter),
    ...parameterLines("denied_parameters", rule.denied_parameter),
    ...textLine("min_wrapping_ttl", rule.min_wrapping_ttl),
    ...textLine("max_wrapping_ttl", rule.max_wrapping_ttl),
  ];
  const comment = rule.description ? rule.description.split("\n").map((line) => `# ${line}\n`) : [];
  return `${comment.join("")}path ${quoted(rule.path)} {\n${lines.map((line) => `  ${line}\n`).join("")}}\n`;
}

function listLine(name: string, texts: readonly string[] | null): readonly string[] {
  return texts && texts.length > 0 ? [`${name} = ${listText(texts)}`] : [];
}

function textLine(name: string, text: string | null): readonly string[] {
  return text ? [`${name} = ${quoted(text)}`] : [];
}

function parameterLines(name: string, parameters: Parameters): readonly string[] {
  if (parameters.length === 0) return [];
  const values = new Map(parameters.map(({ key, value }) => [key, value]));
  const inside = [...values].sort(([a], [b]) => (a < b ? -1 : 1));
  return [`${name} = {`, ...inside.map(([key, value]) => `  ${quoted(key)} = ${listText(value)}`), "}"];
}

function listText(texts: readonly string[]): string {
  return `[${texts.map(quoted).join(", ")}]`;
}

// HCL's quoted texts escape as JSON's do.
function quoted(text: string): string {
  return JSON.stringify(text);
}
