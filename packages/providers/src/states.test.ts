import { readFileSync } from "node:fs";
import type { Provider } from "@millwright/provider/protocol";
import { configureForTest } from "@millwright/provider/testing/contract";
import { Drive } from "@millwright/provider/testing/drive";
import { rawEquals } from "@millwright/value/operations";
import { expect, test } from "vitest";
import { FakeConsul } from "../test/fake-consul.ts";
import { startNomad } from "../test/nomad-server.ts";
import { startVault } from "../test/vault-server.ts";
import { consulProvider } from "./consul/provider.ts";
import { nomadProvider } from "./nomad/provider.ts";
import { randomProvider } from "./random/provider.ts";
import { vaultProvider } from "./vault/provider.ts";

/* States that the registry's providers wrote (consul 2.21.0, nomad 2.6.1, random 3.7.2, vault 5.0.0, under terraform 1.11.4) are ours to go
   on with. */

interface Recorded {
  readonly type: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly schema_version: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

function recordedStates(name: string): readonly Recorded[] {
  return JSON.parse(readFileSync(new URL(`../testdata/states/${name}.json`, import.meta.url), "utf8")) as Recorded[];
}

async function expectNothingToDo(
  provider: Provider,
  { type, config, schema_version, attributes }: Recorded,
): Promise<void> {
  const drive = await Drive.of(provider, type);
  const stored = await drive.upgrade(schema_version, attributes);
  expect(stored.diagnostics).toEqual([]);
  const { state, diagnostics } = await drive.read(stored.state);
  expect(diagnostics).toEqual([]);
  expect(rawEquals(state, stored.state)).toBe(true);
  const { planned, plain, requiresReplace } = await drive.plan(config, state);
  expect(rawEquals(planned, state), JSON.stringify(plain)).toBe(true);
  expect(requiresReplace).toEqual([]);
}

test.each(recordedStates("random"))("a $type of the registry's provider is as it should be", async (recorded) => {
  const provider = randomProvider().start();
  await configureForTest(provider);
  await expectNothingToDo(provider, recorded);
});

test.each(recordedStates("consul"))(
  "a $type of the registry's provider is as it should be, and written the same by ours",
  async (recorded) => {
    const consul = await FakeConsul.start();
    const provider = consulProvider({ CONSUL_HTTP_ADDR: consul.address }).start();
    try {
      await configureForTest(provider);
      const drive = await Drive.of(provider, recorded.type);
      expect(await drive.apply(recorded.config)).toMatchObject({ diagnostics: [], plain: recorded.attributes });
      await expectNothingToDo(provider, recorded);
    } finally {
      await provider.close();
      await consul.stop();
    }
  },
);

/** What each server has its own of. */
const ofTheServer = ["accessor", "metadata"];

test("objects of the registry's vault provider are as they should be, and written the same by ours", async () => {
  const vault = await startVault();
  const provider = vaultProvider({ VAULT_ADDR: vault.address, VAULT_TOKEN: vault.rootToken }).start();
  try {
    await configureForTest(provider);
    for (const recorded of recordedStates("vault")) {
      const drive = await Drive.of(provider, recorded.type);
      const { plain, diagnostics } = await drive.apply(recorded.config);
      expect(diagnostics).toEqual([]);
      const own = Object.fromEntries(ofTheServer.flatMap((name) => (plain[name] ? [[name, plain[name]]] : [])));
      const attributes = { ...recorded.attributes, ...own };
      // A block that is not there is null in a state, and none here.
      expect(plain).toEqual({ ...attributes, ...(attributes.custom_metadata === null ? { custom_metadata: [] } : {}) });
      await expectNothingToDo(provider, { ...recorded, attributes });
    }
  } finally {
    await provider.close();
    await vault.close();
  }
});

/** What each job has its own of, and what the servers write in other words. */
const ofTheJob = [
  ...["allocation_ids", "create_index", "deployment_id", "modify_index", "submit_time", "stable", "update_strategy"],
];

test("a job of the registry's nomad provider is as it should be, and written the same by ours", async () => {
  const nomad = await startNomad(["n1"]);
  const provider = nomadProvider({ NOMAD_ADDR: nomad.address }).start();
  try {
    await configureForTest(provider);
    for (const recorded of recordedStates("nomad")) {
      const drive = await Drive.of(provider, recorded.type);
      const applied = await drive.apply(recorded.config);
      const { plain } = await drive.read(applied.state);
      const own = Object.fromEntries(ofTheJob.map((name) => [name, plain[name]]));
      const attributes = { ...recorded.attributes, ...own };
      expect(plain).toEqual({ ...attributes, task_groups: emptyForNull(recorded.attributes.task_groups) });
      await expectNothingToDo(provider, { ...recorded, attributes });
    }
  } finally {
    await provider.close();
    await nomad.close();
  }
});

/** With empty lists for those that the registry's provider leaves null. */
function emptyForNull(value: unknown): unknown {
  if (value === null) return [];
  if (Array.isArray(value)) return value.map(emptyForNull);
  if (typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, emptyForNull(inner)]));
}
