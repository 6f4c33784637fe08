import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/*/conformance/**/*.conformance.ts", "tests/**/*.conformance.ts"],
    isolate: false,
    pool: "threads",
    maxWorkers: 2,
    testTimeout: 600_000,
    hookTimeout: 120_000,
    reporters: ["default"],
  },
});
