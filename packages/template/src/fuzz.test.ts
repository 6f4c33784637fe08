import { expect, test } from "vitest";
import { execute } from "./execute.ts";
import { helperFunctions } from "./helpers/helpers.ts";
import { parseTemplate } from "./parse.ts";

const pieces =
  `{{|}}|{{-|-}}|/*|*/|if|else|end|range|with|template|define|block|break|continue|nil|true|.|.a|.b.c|$|$x|$x :=|$x =|,|(|)|"s"|"t"|'c'|1|-2|1.5|0x1f|1i|\`r\`|print|printf "%v %d"|len|index|slice|eq|lt|and|or|not|html|js|call|join ","|split ","|loop 3|toJSON|toYAML|toTOML|parseJSON|add 1|divide 0|indent 2|in|explode|byKey|scratch.Set "k"|scratch.MapSet "m" "k"|scratch.Get "m"|executeTemplate "t"|executeTemplate "d"|timestamp|text|é|\n|  `
    .split("|")
    .flatMap((piece) => (piece === "" ? ["|"] : [piece]));

const data = { a: "x", b: { c: [1n, 2.5, null, "y", { d: true }] }, e: [], f: null };

/** A generator of numbers in [0, 1) that a seed decides. */
function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function randomTemplate(chance: () => number): string {
  const pick = () => pieces[Math.floor(chance() * pieces.length)]!;
  const action = () => `{{${Array.from({ length: 1 + Math.floor(chance() * 5) }, pick).join(" ")}}}`;
  const statement = (depth: number): string => {
    const roll = chance();
    if (depth > 3 || roll < 0.4) return roll < 0.1 ? pick() : action();
    const body = () => Array.from({ length: Math.floor(chance() * 3) }, () => statement(depth + 1)).join(" ");
    const head = ["if", "range", "with", `define "d"`, `block "t"`][Math.floor(chance() * 5)]!;
    const middle = chance() < 0.3 ? `{{else}}${body()}` : "";
    const operand = head.startsWith("define")
      ? ""
      : [".b.c", ".", ".a", "3", "loop 2", "$x := .b"][Math.floor(chance() * 6)]!;
    return `{{${head} ${operand}}}${body()}${middle}{{end}}`;
  };
  return `{{$x := 1}}${Array.from({ length: 1 + Math.floor(chance() * 4) }, () => statement(0)).join("\n")}`;
}

test("Any template is refused or ends, the same way each time", { timeout: 60_000 }, () => {
  const ends = { text: 0, missing: 0, error: 0, malformed: 0 };
  for (let seed = 1; seed <= 6000; seed++) {
    const text = randomTemplate(chanceOf(seed));
    const ended = [run(text), run(text)];
    expect(ended[0], text).toEqual(ended[1]);
    ends[ended[0]!.kind]++;
  }
  expect(ends.text).toBeGreaterThan(100);
  expect(ends.error).toBeGreaterThan(100);
  expect(ends.malformed).toBeGreaterThan(100);
});

function run(text: string) {
  const functions = helperFunctions({ environment: () => "v", clock: { now: () => 0 } });
  const parsed = parseTemplate(text, { name: "t", functions: functions.keys() });
  if (!parsed.ok) {
    expect(parsed.diagnostics.length).toBeGreaterThan(0);
    return { kind: "malformed" as const, error: parsed.error };
  }
  return execute(parsed.template, { data, functions, limits: { steps: 20_000, text: 200_000 } });
}

test("Reading and executing take time in proportion to the text", { timeout: 60_000 }, () => {
  const unit = `a {{- .a | printf "%s" -}} b\n{{range $i, $e := .b.c}}{{if $i}}{{$e}}{{else}}-{{end}}{{end}}{{/* c */}}\n`;
  const time = (count: number) => {
    const start = performance.now();
    const parsed = parseTemplate(unit.repeat(count), { name: "t" });
    if (!parsed.ok) throw new Error(parsed.error);
    const result = execute(parsed.template, { data });
    expect(result.kind).toBe("text");
    return performance.now() - start;
  };
  time(2000);
  const [few, many] = [Math.min(time(2000), time(2000)), time(16_000)];
  // Eight times the text; a quadratic reader would take 64 times as long.
  expect(many / few).toBeLessThan(30);
});

test.each([
  { name: "a string", text: `{{"${"x".repeat(2_000_000)}"}}` },
  { name: "a decimal number", text: `{{${"9".repeat(500_000)}}}` },
  { name: "a hexadecimal number", text: `{{0x${"f".repeat(500_000)}}}` },
  { name: "a float", text: `{{1.${"9".repeat(500_000)}x}}` },
  { name: "a number with underscores", text: `{{${"1_".repeat(200_000)}}}` },
  { name: "a chain of fields", text: `{{${".a".repeat(100_000)}}}` },
  { name: "a pipeline", text: `{{1 ${"| print ".repeat(50_000)}}}` },
  { name: "a list of faults", text: "{{nope}}".repeat(20_000) },
  {
    name: "a list of definitions",
    text: Array.from({ length: 20_000 }, (_, i) => `{{define "${i}"}}x{{end}}`).join(""),
  },
  { name: "JSON in itself", text: `{{parseJSON \`${"[".repeat(50_000)}${"]".repeat(50_000)}\` | toJSON}}` },
  { name: "YAML in itself", text: `{{parseYAML \`${"[".repeat(50_000)}\`}}` },
])("$name of any length is read in time", { timeout: 5_000 }, ({ text }) => {
  expect(["text", "error", "malformed"]).toContain(run(text).kind);
});
