import { readFileSync } from "node:fs";
import { sourceFile } from "@millwright/hcl/source-file";
import { describe, expect, test } from "vitest";
import { gatesOf } from "./gates.ts";
import { readWaveSettings, usualWaves } from "./settings.ts";

const read = (text: string, env: Readonly<Record<string, string>> = {}) =>
  readWaveSettings(sourceFile("waves.hcl", new TextEncoder().encode(text)), env);

describe("waves.hcl", () => {
  test("an empty one says what nothing says", () => {
    expect(read("")).toEqual({ value: usualWaves, diagnostics: [] });
  });

  test("sizes, patience and gates of every kind", () => {
    const { value, diagnostics } = read(
      `
waves {
  sizes    = ["1", "25%"]
  patience = "5m"
}
gate "conditions" "all" {
  otherwise = "back"
}
gate "http" "front" {
  url       = "http://127.0.0.1:8080/health.txt"
  headers   = { Authorization = "Bearer \${env.TOKEN}" }
  status    = "200"
  contains  = "ok"
  for       = "30s"
  within    = "2m"
  every     = "1s"
  otherwise = "back"
}
gate "command" "smoke" {
  command = ["./smoke.sh", "--quick"]
}
gate "service" "web" {
  service = "widgets"
  tag     = "web"
  least   = 2
  address = "http://127.0.0.1:8501"
}
gate "budget" "slo" {
  objective = 0.999
  window    = "1h"
  prometheus {
    address = "http://127.0.0.1:9090"
    query   = "good / all"
  }
}
gate "budget" "seen" {
  objective = 0.99
  probe {
    url   = "http://127.0.0.1:8080/"
    every = "500ms"
  }
}
`,
      { TOKEN: "t" },
    );
    expect(diagnostics).toEqual([]);
    expect(value).toMatchObject({ sizes: [{ count: 1 }, { percent: 25 }], patience: 300_000 });
    expect(value.gates).toMatchObject([
      { kind: "conditions", name: "all", refusal: "back" },
      {
        kind: "http",
        name: "front",
        probe: { headers: { Authorization: "Bearer t" }, statuses: [200, 200], contains: "ok", method: "GET" },
        holds: 30_000,
        grace: 120_000,
        interval: 1_000,
        refusal: "back",
      },
      { kind: "command", command: ["./smoke.sh", "--quick"], timeout: 60_000, refusal: "stop" },
      { kind: "service", service: { service: "widgets", tag: "web", least: 2, mostUnhealthy: 0 } },
      { kind: "budget", objective: 0.999, window: 3_600_000, most: 1, source: { kind: "prometheus" } },
      { kind: "budget", source: { kind: "probe", interval: 500 } },
    ]);
    expect(gatesOf(value.gates, { folder: "/", env: {} }).map(({ name }) => name)).toEqual([
      "all",
      "front",
      "smoke",
      "web",
      "slo",
      "seen",
    ]);
  });

  test("what the page shows is read", () => {
    const page = readFileSync(new URL("../../../../docs/history-and-waves.md", import.meta.url), "utf8");
    const [, shown = ""] = /```hcl\n([\s\S]*?)```/.exec(page) ?? [];
    const { value, diagnostics } = read(shown, { TOKEN: "t" });
    expect(diagnostics).toEqual([]);
    expect(value.gates.map(({ kind }) => kind)).toEqual(["http", "command", "service", "budget", "conditions"]);
  });

  test("the change's own conditions are a gate wherever no other is named for them", () => {
    const { value } = read('gate "command" "smoke" {\n  command = ["true"]\n}\n');
    expect(value.gates.map(({ kind }) => kind)).toEqual(["conditions", "command"]);
  });
});

describe("what is wrong in waves.hcl is said with its place, and nothing of it counts", () => {
  const cases: readonly {
    readonly name: string;
    readonly text: string;
    readonly want: RegExp;
    readonly line: number;
  }[] = [
    { name: "a kind of gate that is none", text: 'gate "htp" "a" {}', want: /Did you mean "http"\?/, line: 1 },
    { name: "an address that is missing", text: 'gate "http" "a" {\n}', want: /"url" is required/, line: 1 },
    {
      name: "an address that is none",
      text: 'gate "http" "a" {\n  url = "localhost"\n}',
      want: /begins with http/,
      line: 1,
    },
    {
      name: "a status that is none",
      text: 'gate "http" "a" {\n  url = "http://a"\n  status = "ok"\n}',
      want: /"200-399"/,
      line: 1,
    },
    { name: "an empty command", text: 'gate "command" "a" {\n  command = []\n}', want: /runs a program/, line: 1 },
    {
      name: "an argument that is misspelt",
      text: 'gate "conditions" "a" {\n  otherwize = "back"\n}',
      want: /otherwize/,
      line: 2,
    },
    { name: "a time without its unit", text: "waves {\n  patience = 5\n}", want: /duration with its unit/, line: 2 },
    { name: "sizes that are none", text: 'waves {\n  sizes = ["some"]\n}', want: /-waves=1,10%/, line: 2 },
    {
      name: "an objective that cannot be",
      text: 'gate "budget" "a" {\n  objective = 99\n}',
      want: /share of what must go well/,
      line: 1,
    },
    {
      name: "a budget without a source",
      text: 'gate "budget" "a" {\n  objective = 0.9\n}',
      want: /one block/,
      line: 1,
    },
    {
      name: "a refusal that is none",
      text: 'gate "conditions" "a" {\n  otherwise = "panic"\n}',
      want: /"stop".*"back"/,
      line: 1,
    },
    {
      name: "two of one name",
      text: 'gate "conditions" "a" {}\ngate "command" "a" {\n  command = ["x"]\n}',
      want: /already/,
      line: 2,
    },
    { name: "waves twice", text: "waves {}\nwaves {}", want: /already/, line: 2 },
    { name: "a variable that is not set", text: 'gate "command" "a" {\n  command = [env.NO]\n}', want: /NO/, line: 2 },
  ];
  test.each(cases)("$name", ({ text, want, line }) => {
    const { value, diagnostics } = read(text);
    expect(value).toEqual(usualWaves);
    expect(`${diagnostics[0]?.summary}: ${diagnostics[0]?.detail}`).toMatch(want);
    expect(diagnostics[0]?.subject?.start.line).toBe(line);
  });
});
