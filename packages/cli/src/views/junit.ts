import type { FileResult, RunResult } from "@millwright/engine/tests/bench";
import type { TestFile } from "@millwright/engine/tests/test-file";
import { renderDiagnostic, type SourceText } from "./diagnostics.ts";

/** The results of all files in the XML form of JUnit, which CI systems read. */
export function junitXml(
  results: readonly { readonly file: TestFile; readonly result: FileResult }[],
  sources: SourceText,
): string {
  const suites = results.map(({ file, result }) => suite(file, result, sources)).join("");
  return `<?xml version="1.0" encoding="UTF-8"?><testsuites>${suites}${suites === "" ? "" : "\n"}</testsuites>`;
}

function suite({ path }: TestFile, { runs }: FileResult, sources: SourceText): string {
  const of = (status: RunResult["status"]) => String(runs.filter((run) => run.status === status).length);
  const head = attributes({
    name: path,
    tests: String(runs.length),
    skipped: of("skip"),
    failures: of("fail"),
    errors: of("error"),
  });
  return `\n  <testsuite${head}>${runs.map((run, i) => testCase(path, run, whySkipped(runs.slice(0, i)), sources)).join("")}\n  </testsuite>`;
}

function whySkipped(before: readonly RunResult[]): string {
  const broken = before.find(({ status }) => status === "error");
  if (!broken) return "The tests were interrupted before this one.";
  return `Previous testcase "${broken.run.name}" ended in error, which caused the remaining tests in the file to be skipped`;
}

function testCase(
  path: string,
  { run, status, seconds, started, diagnostics }: RunResult,
  whyNot: string,
  sources: SourceText,
): string {
  const timestamp = new Date(started).toISOString().replace(/\.\d+Z$/, "Z");
  const time = status === "skip" ? {} : { time: String(seconds), timestamp };
  const head = attributes({ name: run.name, classname: path, ...time });
  const failed = diagnostics.filter((diagnostic) => diagnostic.severity === "error");
  const view = { width: 78, colour: false };
  const body = failed.map((diagnostic) => `\n${withoutFrame(renderDiagnostic(diagnostic, view, sources))}`).join("");
  switch (status) {
    case "pass":
      return `\n    <testcase${head}></testcase>`;
    case "skip":
      return `\n    <testcase${head}>\n      <skipped message="Testcase skipped due to a previous testcase error">${cdata(whyNot)}</skipped>\n    </testcase>`;
    case "fail": {
      const assertions = failed.filter(({ summary }) => summary === "Test assertion failed");
      const message = `${assertions.length} of ${run.asserts.length} assertions failed${assertions.length > 1 ? ", including" : ""}: ${assertions[0]?.detail ?? ""}`;
      return `\n    <testcase${head}>\n      <failure${attributes({ message })}>${cdata(body)}</failure>\n    </testcase>`;
    }
    case "error":
      return `\n    <testcase${head}>\n      <error${attributes({ message: "Encountered an error" })}>${cdata(body)}</error>\n    </testcase>`;
  }
}

// A report has no use for the frame that diagnostics have on a terminal.
function withoutFrame(text: string): string {
  return text.replace(/^[╷╵]\n/gm, "").replace(/^│ ?/gm, "");
}

function attributes(all: Readonly<Record<string, string>>): string {
  return Object.entries(all)
    .map(([name, text]) => ` ${name}="${escaped(text)}"`)
    .join("");
}

// What XML 1.0 has no way to say is replaced.
function clean(text: string): string {
  return text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd");
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&#34;",
    "\n": "&#xA;",
  };
  return clean(text).replace(/[&<>"\n]/g, (character) => entities[character]!);
}

function cdata(text: string): string {
  return `<![CDATA[${clean(text).replaceAll("]]>", "]]]]><![CDATA[>")}]]>`;
}
