import { readFile } from "node:fs/promises";
import { openMemoryStore } from "@millwright/store/memory";
import { expect, test } from "vitest";
import { openSecrets } from "./secrets.ts";

const page = new URL("../../../docs/compatibility/vault-api.md", import.meta.url);

test("the page lists the routes as they are, in their order", async () => {
  const store = openMemoryStore();
  const secrets = await openSecrets({ store, version: "0.0.0" });
  const rows = (await readFile(page, "utf8")).matchAll(/^\| ([A-Z]+) \| `([^`]+)` \| (\w+) \|/gm);
  const listed = [...rows].map(([, method, path, permission]) => `${method} /v1/${path} ${permission}`);
  const routes = secrets.routes.map(({ method, pattern, permission }) => `${method} ${pattern} ${permission.kind}`);
  await secrets.close();
  await store.close();
  expect(listed).toEqual(routes);
});
