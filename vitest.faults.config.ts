import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "packages/*/{src,test}/**/*fuzz*.test.ts",
      "packages/*/{src,test}/**/*.faults.ts",
      "tests/**/*.faults.ts",
    ],
    isolate: false,
    pool: "threads",
    maxWorkers: 2,
    testTimeout: 3_600_000,
    hookTimeout: 120_000,
    // Where whole suites share one busy machine, a test that failed is tried once more, and the report says so (retry x1).
    retry: Number(process.env.MILLWRIGHT_RETRIES ?? 0),
    reporters: ["default"],
  },
});
