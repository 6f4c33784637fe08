import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestServer } from "../test/harness.ts";
import { storeKinds } from "../test/stores.ts";

/**
 * Requests and their answers, one after the other on one server: `> METHOD PATH BODY`, then `STATUS BODY`; lines with `#` are
 * for readers. Indexes are written as 0. `UPDATE=1` rewrites the answers: they are then to be compared with Consul's again.
 */
const file = new URL("../testdata/catalog.golden", import.meta.url);

for (const kind of storeKinds) {
  describe(`over ${kind.name}`, () => {
    beforeAll(() => kind.start());
    afterAll(() => kind.stop());
    test("the catalog and health endpoints answer as Consul 1.16 does, byte for byte", async () => {
      const opened = await kind.open();
      const server = await openTestServer(opened.store);
      const want = readFileSync(file, "utf8");
      const got: string[] = [];
      for (const line of want.split("\n")) {
        if (line === "" || line.startsWith("#")) got.push(line);
        if (!line.startsWith("> ")) continue;
        const [method, path, ...body] = line.slice(2).split(" ");
        const reply = await server.ask(`${method} ${path}`, body.join(" "));
        got.push(line, `${reply.status} ${reply.text.replaceAll(/"(Create|Modify)Index":\d+/g, '"$1Index":0')}`);
      }
      if (process.env.UPDATE === "1") writeFileSync(file, got.join("\n"));
      else expect(got.join("\n")).toBe(want);
      await server.close();
      await opened.dispose();
    });
  });
}
