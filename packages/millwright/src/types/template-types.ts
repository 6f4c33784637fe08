import type { Type } from "@millwright/value/types";
import { comment, key, typeText } from "./provider-types.ts";

/** What an instance of a template is given, and what can be read from it. */
export interface TemplateShape {
  readonly inputs: ReadonlyMap<string, TemplateInput>;
  readonly outputs: ReadonlyMap<string, Type>;
}

export interface TemplateInput {
  readonly type: Type;
  readonly required: boolean;
  readonly nullable: boolean;
  readonly description?: string;
}

/** The declarations of templates, by their paths as a list of instances names them, as the text of a `.d.ts` file. */
export function templateTypes(templates: ReadonlyMap<string, TemplateShape>): string {
  const entries = [...templates].flatMap(([path, shape]) => [
    `    ${JSON.stringify(path)}: {`,
    `      inputs: ${inputs(shape)};`,
    `      outputs: ${outputs(shape)};`,
    "    };",
  ]);
  return [
    'import type { AnyInput, Input, Untyped } from "millwright";',
    "",
    'declare module "millwright" {',
    "  interface InstanceTemplates {",
    ...entries,
    "  }",
    "}",
    "",
  ].join("\n");
}

function inputs({ inputs: all }: TemplateShape): string {
  const lines = [...all].flatMap(([name, input]) => [
    ...comment(input, "        "),
    `        ${key(name)}${input.required ? "" : "?"}: ${inputType(input)};`,
  ]);
  return lines.length === 0 ? "{}" : `{\n${lines.join("\n")}\n      }`;
}

function inputType({ type, nullable }: TemplateInput): string {
  const text = typeText(type);
  const wanted = text === "Untyped" ? "AnyInput" : `Input<${text.replaceAll("Untyped", "AnyInput")}>`;
  return nullable && text !== "Untyped" ? `${wanted} | null` : wanted;
}

function outputs({ outputs: all }: TemplateShape): string {
  const lines = [...all].map(([name, type]) => `        ${key(name)}: ${typeText(type)};`);
  return lines.length === 0 ? "{}" : `{\n${lines.join("\n")}\n      }`;
}
