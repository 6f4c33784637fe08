import { expect, test } from "vitest";
import { parseApart } from "./parse-apart.ts";

const { signal } = new AbortController();
const asked = (text: string) => ({ text, variables: "", isWhole: false });
const meta = (expression: string, locals = "") =>
  asked(`${locals}\njob "a" {\n  meta {\n    x = ${expression}\n  }\n}\n`);

test("a job file is read in a process of its own, with what is wrong with it", async () => {
  const parsed = await parseApart(meta('upper("b")'), signal);
  expect(JSON.parse("json" in parsed ? parsed.json : "{}")).toMatchObject({ ID: "a", Meta: { x: "B" } });
  expect(await parseApart(meta('nothing("x")'), signal)).toMatchObject({
    faults: expect.stringContaining("input.hcl:4"),
  });
});

const loop = (depth: number): string =>
  depth === 0 ? '"x"' : `join("", [for v${depth} in range(0, 1024) : ${loop(depth - 1)}])`;
const doubled = Array.from({ length: 40 }, (_, i) => `  l${i + 1} = "\${local.l${i}}\${local.l${i}}"`).join("\n");

test.each([
  { name: "loops", text: meta(loop(6)) },
  { name: "texts that double", text: meta("local.l40", `locals {\n  l0 = "xxxxxxxx"\n${doubled}\n}`) },
])("$name cost no more than the limits, and others are answered meanwhile", async ({ text }) => {
  let turns = 0;
  const timer = setInterval(() => turns++, 20);
  const limits = { milliseconds: 2_000, megabytes: 64 };
  await expect(parseApart(text, signal, limits)).rejects.toThrow("its expressions take more than");
  clearInterval(timer);
  expect(turns).toBeGreaterThan(5);
});
