import { expect, test } from "vitest";
import { execute } from "../execute.ts";
import { parseTemplate } from "../parse.ts";
import type { TemplateValue } from "../value.ts";
import { Struct, TypedList } from "../value.ts";
import { helperFunctions } from "./helpers.ts";

const pairs = ["a/b/c", "a/d", "e", "f/"].map((Key, i) => ({ Path: `p/${Key}`, Key, Value: String(i) }));
const services = [
  service("s1", 80n, ["blue", "web"], { env: "dev", shard: "1" }),
  service("s2", 443n, ["web"], { env: "prod", shard: "12" }),
];
const data = {
  pairs,
  services,
  tags: ["x", "y"],
  nested: { "a/b": 1n, "a/c": 2n },
  one: { k: "1", m: { x: "1" } },
  two: { k: "2", m: { x: "2", y: "3" }, z: "4" },
};

function service(Name: string, Port: bigint, tags: readonly string[], meta: Readonly<Record<string, string>>): Struct {
  const Tags = new TypedList(tags, "dependency.ServiceTags");
  return new Struct("*dependency.HealthService", { Name, Port, Tags, ServiceMeta: meta });
}

interface Case {
  readonly text: string;
  readonly want: string;
}

function render(text: string, values: TemplateValue = data): string {
  const environment = (name: string) => ({ SET: "value", EMPTY: "" })[name];
  const functions = helperFunctions({ environment, clock: { now: () => 1_700_000_000_500 } });
  const parsed = parseTemplate(text, { name: "t", functions: functions.keys() });
  if (!parsed.ok) return parsed.error;
  const result = execute(parsed.template, { data: values, functions });
  return result.kind === "text" ? result.text : result.kind === "error" ? result.error.message : "missing";
}

const answers: readonly Case[] = [
  { text: `{{add 1 2}} {{1 | add 2}} {{subtract 2 5}} {{5 | subtract 2}} {{multiply 2 2}}`, want: "3 3 3 3 4" },
  { text: `{{divide 2 10}} {{10 | divide 3}} {{modulo 2 5}} {{minimum 2 5}} {{maximum 2 5}}`, want: "5 3 1 2 5" },
  { text: `{{add 1.5 2}} {{divide 2.0 5}} {{minimum 2 1.5}} {{subtract 1 1.5}}`, want: "3.5 2.5 1.5 0.5" },
  {
    text: `{{printf "%T %T %T" (add 1 2) (add 1.0 2) (add (parseUint "1") (parseUint "2"))}}`,
    want: "int64 float64 uint64",
  },
  { text: `{{add 1 9223372036854775807}} {{divide 2 -7}} {{modulo 2 -7}}`, want: "-9223372036854775808 -3 -1" },
  {
    text: `{{range loop 3}}{{.}}{{end}} {{range $i := loop 5 8}}{{$i}}{{end}} {{range loop "2"}}{{.}}{{end}}`,
    want: "012 567 01",
  },
  { text: `{{range loop 3 1}}x{{else}}none{{end}}`, want: "none" },
  {
    text: `{{in .tags "x"}} {{.tags | contains "z"}} {{in "abc" "b"}} {{in .nested "a/b"}}`,
    want: "true false true false",
  },
  { text: `{{containsAll .tags .tags}} {{containsAny .tags (split "," "y,z")}}`, want: "true true" },
  { text: `{{containsNone .tags (split "," "y,z")}} {{containsNotAll .tags (split "," "y,z")}}`, want: "false true" },
  { text: `{{split "," " a,b,c " | join "-"}} {{len (split "," "")}} {{split "" "abc"}}`, want: "a-b-c 0 [a b c]" },
  { text: `{{with splitToMap "," ":" "a:1,b:2,c"}}{{.a}}{{.b}}{{.c}}{{end}}`, want: "12<no value>" },
  { text: `{{"a\\n\\nb\\n" | indent 2}}|`, want: "  a\n\n  b\n|" },
  { text: `{{trimSpace " \\t x \\n"}}|{{toLower "ÀB"}}|{{toUpper "àb"}}`, want: "x|àb|ÀB" },
  {
    text: `{{range $top, $pairs := byKey .pairs}}{{$top}}:{{range $key, $pair := $pairs}}{{$key}}={{$pair.Value}}/{{.Key}} {{end}}{{end}}`,
    want: "a:b/c=0/b/c d=1/d ",
  },
  {
    text: `{{range $tag, $list := .services | byTag}}{{$tag}}:{{range $list}}{{.Name}} {{end}}{{end}}`,
    want: "blue:s1 web:s1 s2 ",
  },
  {
    text: `{{range $port, $list := .services | byPort}}{{$port}}:{{range $list}}{{.Name}} {{end}}{{end}}`,
    want: "80:s1 443:s2 ",
  },
  {
    text: `{{range $meta, $list := .services | byMeta "env,shard|int"}}{{$meta}}={{len $list}} {{end}}`,
    want: "dev_00001=1 prod_00012=1 ",
  },
  { text: `{{.pairs | explode | toJSON}}`, want: `{"a":{"b":{"c":"0"},"d":"1"},"e":"2","f":{}}` },
  { text: `{{with .pairs | explode}}{{.a.b.c}}{{end}}{{.nested | explodeMap | toJSON}}`, want: `0{"a":{"b":1,"c":2}}` },
  { text: `{{mergeMap .one .two | toJSON}}`, want: `{"k":"1","m":{"x":"1","y":"3"},"z":"4"}` },
  { text: `{{mergeMapWithOverride .one .two | toJSON}}`, want: `{"k":"2","m":{"x":"2","y":"3"},"z":"4"}` },
  {
    text: `{{env "SET"}}|{{env "NONE"}}|{{envOrDefault "EMPTY" "d"}}|{{envOrDefault "NONE" "d"}}|{{mustEnv "SET"}}`,
    want: "value|||d|value",
  },
  {
    text: `{{timestamp}} {{timestamp "unix"}} {{timestamp "2006-01-02"}}`,
    want: "2023-11-14T22:13:20Z 1700000000 2023-11-14",
  },
  {
    text: `{{define "c"}}<{{.}}>{{end}}{{executeTemplate "c"}}{{executeTemplate "c" 42}}{{$v := executeTemplate "c" 1}}{{len $v}}`,
    want: "<<no value>><42>3",
  },
  {
    text: `{{scratch.Set "k" 1}}{{scratch.SetX "k" 2}}{{scratch.Get "k"}}{{scratch.Key "k"}}{{scratch.Key "n"}}{{scratch.Get "n"}}`,
    want: "1truefalse<no value>",
  },
  {
    text: `{{scratch.MapSet "m" "b" 2}}{{scratch.MapSet "m" "a" 1}}{{scratch.MapSetX "m" "a" 9}}{{scratch.MapValues "m"}}{{(scratch.Get "m").b}}`,
    want: "[1 2]2",
  },
  { text: `{{(parseJSON "").x}}{{parseInt ""}}{{parseBool ""}}{{len (parseYAML "")}}`, want: "<no value>0false0" },
  { text: `{{with parseYAML "a: {b: [1, x]}"}}{{index .a.b 1}}{{.a.b | toJSON}}{{end}}`, want: `x[1,"x"]` },
];

test.each(answers)("$text", ({ text, want }) => expect(render(text)).toBe(want));

const refusals: readonly Case[] = [
  { text: `{{divide 0 1}}`, want: "error calling divide: runtime error: integer divide by zero" },
  { text: `{{add 1 "x"}}`, want: 'error calling add: add: unknown type for "x" (string)' },
  { text: `{{modulo 1.5 2}}`, want: "error calling modulo: modulo: unknown type for" },
  { text: `{{loop}}`, want: "loop: wrong number of arguments, expected 1 or 2, but got 0" },
  { text: `{{loop "x"}}`, want: 'parseInt: strconv.ParseInt: parsing "x": invalid syntax' },
  { text: `{{loop 1.5}}`, want: "loop: bad argument type: float64" },
  { text: `{{loop 3}}`, want: "can't print {{loop 3}} of type <-chan int64" },
  { text: `{{indent -1 "x"}}`, want: "indent value must be a positive integer" },
  { text: `{{byTag 1}}`, want: "byTag: wrong argument type int" },
  { text: `{{mustEnv "EMPTY"}}`, want: "required environment variable EMPTY is empty" },
  { text: `{{timestamp "a" "b"}}`, want: "timestamp: wrong number of arguments, expected 0 or 1, but got 2" },
  { text: `{{executeTemplate "none"}}`, want: 'template: no template "none" associated with template "t"' },
  {
    text: `{{define "c"}}{{len 1}}{{end}}{{executeTemplate "c"}}`,
    want: 'error calling executeTemplate: template: t:1:16: executing "c" at <len 1>: error calling len: len of type int',
  },
  { text: `{{scratch.Set "k" 1}}{{scratch.MapSet "k" "a" 1}}`, want: '"k" is not a map' },
  { text: `{{plugin "x"}}`, want: "error calling plugin: a template does not run programs here" },
  { text: `{{sockaddr "GetPrivateIP"}}`, want: "a template does not look at the machine's interfaces here" },
  { text: `{{"x" | writeToFile "/f" "" "" "0644"}}`, want: "a template writes nothing but its own text here" },
  { text: `{{parseJSON "{"}}`, want: "error calling parseJSON: the text is no JSON: " },
  { text: `{{parseYAML "a: ["}}`, want: "error calling parseYAML: the text is no YAML: " },
  { text: `{{regexMatch "(" "x"}}`, want: "error calling regexMatch: error parsing regexp: missing closing ): `(`" },
  { text: `{{explode .bad}}`, want: 'explode: not a map: "a/b": "a" already has value "1"' },
];

test.each(refusals)("$text is refused", ({ text, want }) => {
  const bad = [
    { Key: "a", Value: "1" },
    { Key: "a/b", Value: "2" },
  ];
  expect(render(text, { ...data, bad })).toContain(want);
});

test("a text of YAML that grows without end is refused", () => {
  const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(",")}]`);
  expect(render("{{parseYAML .}}", `l0: &l0 [x]\n${levels.join("\n")}`)).toContain("the text is no YAML");
});
