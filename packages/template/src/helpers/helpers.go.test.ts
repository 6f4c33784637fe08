import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { execute } from "../execute.ts";
import { parseTemplate } from "../parse.ts";
import { decode } from "../testing/go-cases.ts";
import { helperFunctions } from "./helpers.ts";

/** Learnt from Go's packages and the libraries whose output consul-template shows (yaml.v2, BurntSushi/toml, x/text). */
interface HelperCase {
  readonly text: string;
  readonly data?: unknown;
  readonly output?: string;
  readonly error?: string;
}

const file = new URL("../../testdata/helpers.json", import.meta.url);
const cases = JSON.parse(readFileSync(file, "utf8")) as readonly HelperCase[];
const time = Date.UTC(2024, 1, 9, 4, 5, 6, 78);
const functions = helperFunctions({ environment: () => undefined, clock: { now: () => time } });

test.each(cases.map((helperCase, i) => ({ name: `${i}: ${helperCase.text}`, helperCase })))(
  "As Go: $name",
  ({ helperCase: { text, data, output, error } }) => {
    const parsed = parseTemplate(text, { name: "t", functions: functions.keys() });
    if (!parsed.ok) throw new Error(parsed.error);
    const result = execute(parsed.template, { data: decode(data ?? null), functions });
    const got = {
      data,
      output: result.kind === "text" ? result.text : undefined,
      error: result.kind === "error" ? result.error.message : undefined,
    };
    expect(got).toEqual({ data, output, error });
  },
);
