import { defineConfig } from "vitest/config";

// Commands show moments in the machine's time zone; tests read them in this one. Workers take it from here.
process.env.TZ = "UTC";

export default defineConfig({
  test: {
    include: ["packages/*/{src,test}/**/*.test.ts", "tests/**/*.test.ts"],
    isolate: false,
    pool: "threads",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What is waited for comes at once on a quiet machine; a busy one gets time.
    expect: { poll: { timeout: 8_000, interval: 25 } },
    // Where whole suites share one busy machine, a test that failed is tried once more, and the report says so (retry x1).
    retry: Number(process.env.MILLWRIGHT_RETRIES ?? 0),
    reporters: process.env.CI ? ["default"] : ["dot"],
  },
});
