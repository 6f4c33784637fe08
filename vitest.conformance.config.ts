import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/*/conformance/**/*.conformance.ts", "tests/**/*.conformance.ts"],
    isolate: false,
    pool: "threads",
    maxWorkers: 2,
    testTimeout: 600_000,
    hookTimeout: 120_000,
    // Where whole suites share one busy machine, a test that failed is tried once more, and the report says so (retry x1).
    retry: Number(process.env.MILLWRIGHT_RETRIES ?? 0),
    reporters: ["default"],
  },
});
