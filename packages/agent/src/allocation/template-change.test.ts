import { second } from "@millwright/jobs/nanoseconds";
import { canonical } from "@millwright/jobs/canonical";
import type { Template } from "@millwright/jobs/task";
import { expect, test } from "vitest";
import { changeOf, variablesIn } from "./template-change.ts";

function template(more: Partial<Template>): Template {
  const task = { name: "t", templates: [{ splay: 0, ...more, changeScript: more.changeScript ?? null }] };
  return canonical({ id: "j", groups: [{ name: "g", tasks: [task] }] }).groups[0]!.tasks[0]!.templates[0]!;
}

const hup = template({ changeMode: "signal", changeSignal: "SIGHUP", splay: 3 * second });
const usr = template({ changeMode: "signal", changeSignal: "SIGUSR1" });
const noop = template({ changeMode: "noop", splay: 9 * second });
const restart = template({ changeMode: "restart", splay: second });

test.each([
  { name: "nothing asks for nothing", changed: [noop], want: { splay: 0, effect: { kind: "nothing" } } },
  {
    name: "signals are sent once each, within the longest splay",
    changed: [hup, usr, hup, noop],
    want: { splay: 3_000, effect: { kind: "tell", signals: ["SIGHUP", "SIGUSR1"], scripts: [] } },
  },
  { name: "a restart is enough", changed: [hup, restart], want: { splay: 3_000, effect: { kind: "restart" } } },
])("$name", ({ changed, want }) => {
  expect(changeOf(changed)).toEqual(want);
});

test.each([
  { name: "names and values", text: "A=1\nB = two words \n", want: { A: "1", B: "two words" } },
  { name: "comments and empty lines", text: "# A=1\n\nB=2 # two\nC='#3'", want: { B: "2", C: "#3" } },
  {
    name: "quotes",
    text: `A="a \\"b\\"\\n"\nB='it is $HOME'\nexport C="x"`,
    want: { A: 'a "b"\n', B: "it is $HOME", C: "x" },
  },
  { name: "what is no variable", text: "hello\n1A=2\n=3", want: {} },
  { name: "an equals sign in a value", text: "URL=postgres://u:p@h/db?x=y", want: { URL: "postgres://u:p@h/db?x=y" } },
])("variables: $name", ({ text, want }) => {
  expect(variablesIn(text)).toEqual(want);
});
