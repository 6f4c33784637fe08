import { expect, test } from "vitest";
import { openTestServer } from "../test/secrets-server.ts";

test("a secret that was written is read", async () => {
  const server = await openTestServer();
  await server.call("POST secret/data/app", { data: { password: "hunter2", n: 1 } });
  const { json } = await server.call("GET secret/data/app");
  expect(json.data).toMatchObject({ data: { password: "hunter2", n: 1 } });
  await server.close();
});
