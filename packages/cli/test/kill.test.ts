import { afterAll, beforeAll, expect, test } from "vitest";
import { type DevServer, startDevServer } from "./dev-server.ts";
import { killOften } from "./kills.ts";
import { seededFraction } from "./seeded-fraction.ts";

/* What the journal promises, shown by kill -9 at random instants. KILLS=500 SEED=7 npm run faults goes on for longer. */

let server: DevServer;
beforeAll(async () => {
  server = await startDevServer();
});
afterAll(() => server.stop());

const kills = Number(process.env.KILLS ?? 50);
const seed = Number(process.env.SEED ?? Date.now() % 100_000);

test(`${kills} kills at random instants (SEED=${seed}) lose nothing, and nothing is created twice`, {
  timeout: 3_600_000,
}, async () => {
  const began = performance.now();
  const { phases, folders } = await killOften(server, kills, seededFraction(seed), 2);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const { before, during, after } = phases;
  process.stdout.write(
    `kill -9, SEED=${seed}: ${before} before the first change, ${during} during changes, ${after} after the state was saved; ${folders} folders of 100 resources in ${seconds} s\n`,
  );
  expect(before + during + after).toBeGreaterThanOrEqual(kills);
  expect(during).toBeGreaterThan(kills / 3);
});
