import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestServer } from "../test/harness.ts";
import { storeKinds } from "../test/stores.ts";

for (const kind of storeKinds) {
  describe(`two servers over one ${kind.name}`, () => {
    beforeAll(() => kind.start());
    afterAll(() => kind.stop());

    const open = async () => {
      const opened = await kind.open();
      const [a, b] = [
        await openTestServer(opened.store),
        await openTestServer((await opened.another?.()) ?? opened.store),
      ];
      const close = async () => {
        await Promise.all([a.close(), b.close()]);
        await opened.dispose();
      };
      return { a, b, close };
    };

    test("what one acknowledged the other reads, at the same index", async () => {
      const { a, b, close } = await open();
      for (let i = 0; i < 30; i++) {
        const [writer, reader] = i % 2 === 0 ? [a, b] : [b, a];
        await writer.ask("PUT /v1/kv/a/b", String(i));
        expect((await reader.ask("GET /v1/kv/a/b?raw")).text).toBe(String(i));
        await writer.ask(`DELETE /v1/kv/a/gone${i}`);
        await writer.ask(`PUT /v1/kv/a/gone${i + 1}`, "x");
        for (const line of ["GET /v1/kv/a/b", "GET /v1/kv/a/?recurse", "GET /v1/kv/none"]) {
          expect(await reader.index(line), line).toBe(await writer.index(line));
        }
      }
      await close();
    });

    test("a counter raised by check-and-set on both loses nothing", async () => {
      const { a, b, close } = await open();
      await a.ask("PUT /v1/kv/n", "0");
      const raise = async (server: typeof a): Promise<void> => {
        const [entry] = (await server.json("GET /v1/kv/n")) as { Value: string; ModifyIndex: number }[];
        const next = Number(Buffer.from(entry!.Value, "base64").toString()) + 1;
        const { text } = await server.ask(`PUT /v1/kv/n?cas=${entry!.ModifyIndex}`, String(next));
        if (text !== "true") await raise(server);
      };
      await Promise.all(Array.from({ length: 16 }, (_, i) => raise(i % 2 === 0 ? a : b)));
      expect((await b.ask("GET /v1/kv/n?raw")).text).toBe("16");
      await close();
    });

    test("a query blocked on one is answered by a write on the other", async () => {
      const { a, b, close } = await open();
      await a.ask("PUT /v1/kv/w", "1");
      const query = b.ask(`GET /v1/kv/w?raw&index=${await b.index("GET /v1/kv/w")}&wait=10s`);
      await a.ask("PUT /v1/kv/w", "2");
      expect((await query).text).toBe("2");
      await close();
    });

    test("a restore on one holds for writes on the other", async () => {
      const { a, b, close } = await open();
      await a.ask("PUT /v1/kv/kept", "1");
      const archive = (await a.ask("GET /v1/snapshot")).bytes;
      const index = await b.index("GET /v1/kv/kept");
      expect((await a.ask("PUT /v1/snapshot", archive)).status).toBe(200);
      expect((await b.ask(`PUT /v1/kv/kept?cas=${index}`, "2")).text).toBe("false");
      expect((await b.ask("PUT /v1/kv/new", "2")).text).toBe("true");
      expect((await a.ask("GET /v1/kv/new?raw")).text).toBe("2");
      expect(await a.json("GET /v1/kv/?keys")).toEqual(["kept", "new"]);
      await close();
    });
  });
}
