import { expect, test } from "vitest";
import { golden, goldenScope, placeText } from "../test/golden.ts";
import { readSpecFile } from "../test/hcldec-spec.ts";
import { valueText } from "../test/value-text.ts";
import type { Body } from "./ast.ts";
import { referencesInBody } from "./body-references.ts";
import { asWritten } from "./decode-content.ts";
import { decode } from "./decode.ts";
import { dynamicBlocks } from "./dynamic.ts";
import { parseJsonFile } from "./parse-json.ts";
import { parseFile } from "./parse.ts";
import { sourceFile } from "./source-file.ts";

/** What the reference (hashicorp/hcl 2.23: hcldec, with ext/dynblock where `dynamic`) makes of a body by a spec. */
interface Case {
  readonly name: string;
  /** In the language of `hcldec`'s spec files. */
  readonly spec: string;
  readonly source: string;
  readonly syntax?: "json";
  readonly dynamic?: true;
  readonly value: string;
  /** Each once, sorted. */
  readonly errors?: readonly string[];
  /** The names of the root variables that the body refers to. */
  readonly references?: readonly string[];
  /** Where the reference gives something else: why this is right. */
  readonly why?: string;
}

const { cases } = golden<{ cases: readonly Case[] }>("bodies.json");
const scope = goldenScope();

test.for(cases)("$name", (row) => {
  const { spec } = readSpecFile(sourceFile("spec", row.spec)).value;
  const body = read(row);
  const { value, diagnostics } = decode(body, spec, scope, row.dynamic ? dynamicBlocks() : asWritten);
  const references = new Set(referencesInBody(body, spec).map(({ root }) => root.name));
  const errors = new Set(diagnostics.map(placeText));
  const got = { value: valueText(value), errors: [...errors].sort(), references: [...references].sort() };
  expect(got).toEqual({ value: row.value, errors: row.errors ?? [], references: row.references ?? [] });
});

function read({ source, syntax }: Case): Body {
  const file = sourceFile("case", source);
  const { value, diagnostics } = syntax === "json" ? parseJsonFile(file) : parseFile(file);
  expect(diagnostics).toEqual([]);
  return value;
}
