import { describe } from "vitest";
import { leaseContract } from "./suite/leases.ts";
import { loadContract } from "./suite/load.ts";
import { modelContract } from "./suite/model.ts";
import { rangeContract } from "./suite/ranges.ts";
import { stepContract } from "./suite/steps.ts";
import type { EngineUnderTest } from "./suite/support.ts";
import { watchContract } from "./suite/watches.ts";

/** What `Store` promises, as tests over one engine. Every engine's test file calls it. */
export function contractSuite(engine: EngineUnderTest): void {
  describe(`${engine.name} keeps the store contract`, () => {
    describe("steps", () => stepContract(engine));
    describe("ranges and revisions", () => rangeContract(engine));
    describe("watches", () => watchContract(engine));
    describe("leases", () => leaseContract(engine));
    describe("under load", () => loadContract(engine));
    describe("against a model", () => modelContract(engine));
  });
}
