import { type Log, silentLog } from "@millwright/core/ports";
import { parseProviderSource } from "@millwright/engine/addresses";
import { describe, expect, test } from "vitest";
import { programEnvironment } from "./plugin-offer.ts";

const source = parseProviderSource("hashicorp/google-beta")!;
const read: Log = { write: () => undefined };

describe("a provider's program logs as much as is read", () => {
  const cases = [
    {
      name: "nobody reads it",
      log: silentLog,
      env: { HOME: "/h" },
      want: { HOME: "/h", TF_LOG_SDK: "WARN", TF_LOG_PROVIDER_GOOGLE_BETA: "WARN" },
    },
    {
      name: "nobody reads it, and the user has set what it logs",
      log: silentLog,
      env: { TF_LOG_SDK: "TRACE", TF_LOG_PROVIDER_GOOGLE_BETA: "INFO" },
      want: { TF_LOG_SDK: "TRACE", TF_LOG_PROVIDER_GOOGLE_BETA: "INFO" },
    },
    { name: "it is read", log: read, env: { TF_LOG: "TRACE" }, want: { TF_LOG: "TRACE" } },
  ];
  test.each(cases)("$name", ({ env, log, want }) => {
    expect(programEnvironment(source, { env, log })).toEqual(want);
  });
});
