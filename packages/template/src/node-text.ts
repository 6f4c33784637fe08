import { assertNever } from "@millwright/core/errors";
import { quote } from "@millwright/text/quote";
import type { BranchNode, CommandNode, OperandNode, PipeNode, TemplateNode } from "./ast.ts";

/** A node as messages show it: written anew, in one canonical form. */
export function nodeText(node: TemplateNode): string {
  switch (node.kind) {
    case "list":
      return node.nodes.map(nodeText).join("");
    case "text":
      return node.text;
    case "action":
      return `{{${pipeText(node.pipe)}}}`;
    case "if":
    case "range":
    case "with":
      return branchText(node);
    case "template":
      return `{{template ${quote(node.name)}${node.pipe ? ` ${pipeText(node.pipe)}` : ""}}}`;
    case "break":
    case "continue":
      return `{{${node.kind}}}`;
    case "command":
      return commandText(node);
    default:
      return operandText(node);
  }
}

function operandText(node: OperandNode): string {
  switch (node.kind) {
    case "pipe":
      return pipeText(node);
    case "variable":
      return node.identifiers.join(".");
    case "field":
      return node.identifiers.map((name) => `.${name}`).join("");
    case "chain":
      return inParentheses(node.receiver) + node.fields.map((name) => `.${name}`).join("");
    case "identifier":
      return node.name;
    case "dot":
      return ".";
    case "nil":
      return "nil";
    case "bool":
      return String(node.value);
    case "string":
    case "number":
      return node.literal;
    default:
      return assertNever(node);
  }
}

function branchText({ kind, pipe, body, otherwise }: BranchNode): string {
  const elseText = otherwise ? `{{else}}${nodeText(otherwise)}` : "";
  return `{{${kind} ${pipeText(pipe)}}}${nodeText(body)}${elseText}{{end}}`;
}

function pipeText({ variables, isAssignment, commands }: PipeNode): string {
  const declared = variables.map(operandText).join(", ");
  const sign = variables.length === 0 ? "" : isAssignment ? " = " : " := ";
  return declared + sign + commands.map(commandText).join(" | ");
}

function commandText({ operands }: CommandNode): string {
  return operands.map(inParentheses).join(" ");
}

function inParentheses(node: OperandNode): string {
  return node.kind === "pipe" ? `(${pipeText(node)})` : operandText(node);
}
