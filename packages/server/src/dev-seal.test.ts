import { chmod, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSecrets } from "@millwright/secrets/secrets";
import { openMemoryStore } from "@millwright/store/memory";
import { afterEach, beforeEach, expect, test } from "vitest";
import { unsealForDevelopment } from "./dev-seal.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dev-seal-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("the keys are for this user alone", async () => {
  const place = join(folder, "new", "seal");
  await over((secrets) => unsealForDevelopment(secrets, { folder: place }));
  expect((await stat(place)).mode & 0o777).toBe(0o700);
  expect((await readdir(place)).sort()).toEqual(["root-token", "unseal-key"]);
  for (const name of await readdir(place)) expect((await stat(join(place, name))).mode & 0o777, name).toBe(0o600);
});

test("no keys are made for a folder where others may write", async () => {
  await chmod(folder, 0o777);
  await over(async (secrets) => {
    await expect(unsealForDevelopment(secrets, { folder })).rejects.toThrow(/other users may write/);
    expect((await secrets.status()).initialized).toBe(false);
  });
  expect(await readdir(folder)).toEqual([]);
});

async function over(run: (secrets: Awaited<ReturnType<typeof openSecrets>>) => Promise<unknown>): Promise<void> {
  const store = openMemoryStore();
  const secrets = await openSecrets({ store, version: "0" });
  try {
    await run(secrets);
  } finally {
    await secrets.close();
    await store.close();
  }
}
