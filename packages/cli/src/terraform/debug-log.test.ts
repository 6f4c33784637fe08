import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { debugLog, loggedArguments, unknownLogLevel } from "./debug-log.ts";

const at = () => new Date(0);

test.each([
  { name: "without a wish nothing", env: {}, want: "" },
  { name: "OFF is no wish either", env: { TF_LOG: "off" }, want: "" },
  { name: "from the level on", env: { TF_LOG: "WARN" }, want: "1970-01-01T00:00:00.000Z [WARN]  aws: slow n=2\n" },
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
  const log = debugLog("provider", env, (text) => (told += text), at);
  log.write("debug", "aws: x");
  log.write("warn", "aws: slow", { n: 2, "@timestamp": "t" });
  expect(told.replaceAll('"@timestamp":"t"', '"@timestamp":"1970-01-01T00:00:00.000Z"')).toBe(want);
});

test("a file gets it where one is named", () => {
  const path = join(mkdtempSync(join(tmpdir(), "mw-log-")), "log");
  const log = debugLog("provider", { TF_LOG: "info", TF_LOG_PATH: path }, () => expect.unreachable(), at);
  log.write("info", "a");
  log.write("error", "b");
  expect(readFileSync(path, "utf8")).toMatch(/\[INFO\]  a\n.*\[ERROR\] b\n/);
});

test("the program's own log goes by a wish of its own", () => {
  let told = "";
  const log = debugLog("core", { TF_LOG: "off", TF_LOG_CORE: "info" }, (text) => (told += text), at);
  log.write("info", "x");
  expect(told).toBe("1970-01-01T00:00:00.000Z [INFO]  x\n");
});

test("a level that is none is said", () => {
  expect(unknownLogLevel({ TF_LOG: "info", TF_LOG_CORE: "JSON", TF_LOG_PROVIDER: "" })).toBeUndefined();
  expect(unknownLogLevel({ TF_LOG_CORE: "loud" })).toMatch(/^TF_LOG_CORE is "loud", which is no level/);
});

test("keys in addresses are not logged", () => {
  const args = ["-from-module=s3::https://me:secret@h/b/x.zip?aws_access_key_secret=secret", "-upgrade"];
  expect(loggedArguments(args)).toBe("-from-module=s3::https://h/b/x.zip?aws_access_key_secret=... -upgrade");
});

test("values of variables are not logged", () => {
  const args = ["-var=a=secret", "-var", "b=secret", "-backend-config=conn_str=secret", "-out=x", "--var=c=d=e"];
  expect(loggedArguments(args)).toBe("-var=a=… -var b=… -backend-config=conn_str=… -out=x --var=c=…");
});
