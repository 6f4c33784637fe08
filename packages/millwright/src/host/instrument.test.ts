import { createContext, Script } from "node:vm";
import { describe, expect, test } from "vitest";
import { instrument } from "./instrument.ts";

/** The value of the last expression of a program, and the uses that its guards saw. */
function run(code: string): { readonly value: unknown; readonly uses: readonly string[] } {
  const uses: string[] = [];
  const guard = (value: unknown, use: string) => {
    uses.push(`${use} ${typeof value === "string" ? value : typeof value}`);
    return value;
  };
  const value: unknown = new Script(code).runInContext(createContext({ $mw$: guard }));
  return { value: JSON.parse(JSON.stringify(value ?? null)), uses };
}

describe("a program means with its guards what it means without", () => {
  test.for([
    "const a = { b: undefined }; [a?.b?.c.length, a.b?.[0].x, a.b?.().y, a?.b?.length ?? 'none'];",
    "class A { static n = 1; #p = 'x'; has(o) { return #p in o; } get length() { return this.#p.length; } } const a = new A(); [a.has(a), a.length, a.has({})];",
    "const m = { D: class { constructor(n) { this.n = n; } } }; const k = 'D'; [new m[k](1).n, new m.D(2).n, new (m[k])(3).n];",
    "class B { f() { return 'f'; } } class C extends B { f() { return super['f']() + super.f.length; } } new C().f();",
    "function* g() { const x = yield 1; if (yield x) yield 'end'; } const i = g(); [i.next().value, i.next('a').value, i.next(true).value];",
    "let s = ''; outer: for (let i = 0; i < 3; i++) { for (const k in { a: 1, b: 2 }) { if (k === 'b') continue outer; s += k + i; } } s;",
    "const o = { n: 1, l: [1, 2] }; const k = 'n'; o[k]++; o[k] += 2; [o.l[0], o[k]] = [o[k], o.l[1]]; ({ [k]: o.l[1] } = { n: 9 }); o;",
    "let a, b = 0, c = 1; a ??= 5; b ||= 6; c &&= 7; const o = {}; o.x ??= 1; o['y'] ||= 2; [a, b, c, o];",
    "let n = 5; n -= 2; n **= 2; n <<= 1; n >>>= 1; [n, -n, +'3', ~n, n & 1, 7 % 4];",
    "[typeof nowhere, typeof run, typeof 'a', typeof (1 + 1), typeof typeof 1, typeof {}.x];",
    "const f = (a, { b = 2, ...rest } = {}, ...more) => (a ? [a, b, rest, more] : !a ? { a } : null); [f(0), f(1, { c: 3 }, 4)];",
    "const f = (x) => { switch (x) { case 'a': case 'b': return 1; case f.length + 'c': return 2; default: return 3; } }; [f('a'), f('1c'), f(0)];",
    "const t = (parts, ...values) => parts.join('|') + values.length; const x = 'y'; [t`a${x}b${1}`, `n${x === 'y' ? `<${x.length}>` : ''}`];",
    "let i = 0; do { i++; } while (i < 3); while (i) i--; for (;;) { if (i++ > 2) break; } i;",
    "const a = [3, 1, 2]; [a.sort((x, y) => x - y), (0, a)[1], (() => a)()[0], a.at?.(-1), delete a[0], a.length];",
    "var x = null; [x == null, x === undefined, void 0 === x, x !== null && x.y, (x, 1) ? 2 : 3];",
    "try { null.length; } catch ({ message, ['name']: n }) { n; }",
    "async function f() { return (await 1) || 2; } f.name + ((a, b) => a)(1, 2)[0];",
  ])("%s", (code) => {
    expect(run(instrument(code).code).value).toEqual(run(code).value);
  });
});

test("lines stay where they are, and what was put in is listed in order", () => {
  const code = "const a = 'x';\nif (a &&\n    a.length === 2) {\n  a;\n}\n";
  const { code: guarded, insertions } = instrument(code);
  expect(guarded.split("\n")).toHaveLength(code.split("\n").length);
  const offsets = insertions.map(({ at }) => at);
  expect(offsets).toEqual(offsets.toSorted((one, other) => one - other));
  expect(insertions.reduce((length, { text }) => length + text.length, code.length)).toBe(guarded.length);
});

test.for([
  { code: "const a = 'A'; a === 'b';", want: ["comparison A"] },
  { code: "const a = 'A'; a ? 1 : 2;", want: ["condition A"] },
  { code: "const a = 'A'; a.length;", want: ["length A"] },
  { code: "const a = 'A'; a[0];", want: ["element A"] },
  { code: "const a = 'A'; ({})[a];", want: ["element object", "key A"] },
  { code: "const a = 'A'; const { [a]: b } = {};", want: ["element object", "key A"] },
  { code: "const a = 'A'; a * 2;", want: ["arithmetic A"] },
  { code: "const a = 'A'; a + 'b';", want: [] },
  { code: "const a = 'A'; a === undefined;", want: [] },
  { code: "const a = 'A'; ({ [a]: 1 });", want: [] },
])("$code is watched for $want", ({ code, want }) => {
  expect(run(instrument(code).code).uses).toEqual(want);
});
