import { readFileSync } from "node:fs";
import { backendNamed, openBackend } from "@millwright/backends/configure";
import { systemClock } from "@millwright/core/ports";
import { describe, expect, test } from "vitest";

/* The table of backends' options: it names all that there are, and what it calls absent is refused. */

const page = readFileSync(new URL("../../../docs/compatibility/terraform.md", import.meta.url), "utf8");
const rows = [...page.matchAll(/^\| `(\w+)` \| (.+?) \| (full|accepted|absent) \| .* \|$/gm)].map(
  ([, backend = "", options = "", status = ""]) => ({
    backend,
    status,
    options: [...options.matchAll(/`(\w+)`/g)].map(([, name]) => name!),
  }),
);

const ports = { env: {}, folder: "/", clock: systemClock };

describe.each(["local", "http", "pg", "consul", "s3", "kubernetes"])("%s", (name) => {
  const own = rows.filter(({ backend }) => backend === name);

  test("has just the options of the table", async () => {
    const { value: type } = await backendNamed(name);
    const there = [...type!.schema.attributes.keys(), ...type!.schema.blocks.keys()].sort();
    expect(own.flatMap(({ options }) => options).sort()).toEqual(there);
  });

  test("refuses what it would have to pass over", async () => {
    const { value: type } = await backendNamed(name);
    for (const option of own.filter(({ status }) => status === "absent").flatMap(({ options }) => options)) {
      const { diagnostics } = await openBackend(type!, { bucket: "b", key: "k", region: "r", [option]: ["x"] }, ports);
      expect(diagnostics.map(({ detail }) => detail).join()).toContain(`${option} is not supported`);
    }
  });
});
