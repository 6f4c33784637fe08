import type { Provider } from "@millwright/provider/protocol";
import { configureForTest, contractViolations } from "@millwright/provider/testing/contract";
import { afterEach, beforeEach, expect, test } from "vitest";
import { nomadLives } from "../../test/nomad-lives.ts";
import { type NomadServer, startNomad } from "../../test/nomad-server.ts";
import { nomadProvider } from "./provider.ts";

let nomad: NomadServer;
let provider: Provider;

beforeEach(async () => {
  nomad = await startNomad(["n1", "n2"]);
  provider = nomadProvider({ NOMAD_ADDR: nomad.address }).start();
  await configureForTest(provider);
});
afterEach(async () => {
  await provider.close();
  await nomad.close();
});

test.each(nomadLives)("life $# of a $type keeps the provider contract, and leaves nothing", async (life) => {
  expect(await contractViolations(provider, life)).toEqual([]);
  expect(await nomad.api.json("GET /v1/jobs")).toEqual([]);
});
