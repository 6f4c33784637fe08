import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { providerLog } from "./provider-log.ts";

const at = () => new Date(0);

test.each([
  { name: "without a wish nothing", env: {}, want: "" },
  { name: "OFF is no wish either", env: { TF_LOG: "off" }, want: "" },
  { name: "from the level on", env: { TF_LOG: "WARN" }, want: "1970-01-01T00:00:00.000Z [WARN] aws: slow n=2\n" },
  {
    name: "the provider's own wish before the general one",
    env: { TF_LOG: "trace", TF_LOG_PROVIDER: "error" },
    want: "",
  },
  {
    name: "as JSON",
    env: { TF_LOG: "JSON" },
    want:
      '{"@level":"debug","@message":"aws: x","@timestamp":"1970-01-01T00:00:00.000Z"}\n' +
      '{"@level":"warn","@message":"aws: slow","@timestamp":"1970-01-01T00:00:00.000Z","n":2}\n',
  },
])("tells $name", ({ env, want }) => {
  let told = "";
  const log = providerLog(env, (text) => (told += text), at);
  log.write("debug", "aws: x");
  log.write("warn", "aws: slow", { n: 2, "@timestamp": "t" });
  expect(told.replaceAll('"@timestamp":"t"', '"@timestamp":"1970-01-01T00:00:00.000Z"')).toBe(want);
});

test("a file gets it where one is named", () => {
  const path = join(mkdtempSync(join(tmpdir(), "mw-log-")), "log");
  const log = providerLog({ TF_LOG: "info", TF_LOG_PATH: path }, () => expect.unreachable(), at);
  log.write("info", "a");
  log.write("error", "b");
  expect(readFileSync(path, "utf8")).toMatch(/\[INFO\] a\n.*\[ERROR\] b\n/);
});
