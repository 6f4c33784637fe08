import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openApi, type TestApi } from "../../test/api.ts";
import { managementToken } from "./permissions.ts";

let api: TestApi;
beforeAll(async () => {
  api = await openApi({ leaders: 0, authorizer: managementToken({ defaultPolicy: "deny", token: "root" }) });
  await api.cluster.join("5f0c4f3e-0000-4000-8000-000000000001");
});
afterAll(() => api.close());

describe("where a management token is needed", () => {
  test("every route that needs something refuses whoever shows no token, before it looks at anything", async () => {
    const guarded = api.routes.filter(
      ({ permission, pattern }) => permission.kind === "needs" && pattern !== "/v1/search",
    );
    expect(guarded.length).toBeGreaterThan(60);
    for (const { method, pattern } of guarded) {
      const reply = await api.ask(`${method} ${pattern.replaceAll(/:\w+/g, "x")}`);
      expect([reply.status, reply.text], `${method} ${pattern}`).toEqual([403, "Permission denied"]);
    }
  });

  test("a search finds nothing for whoever may see nothing", async () => {
    const reply = await api.ask("POST /v1/search", { Prefix: "" });
    expect(JSON.parse(reply.text).Matches).toEqual({});
  });

  for (const { name, token, want } of [
    { name: "the management token reads", token: "root", want: [200, "[]"] },
    { name: "a token that nobody knows is refused as such", token: "other", want: [403, "ACL token not found"] },
    {
      name: "a node's token is no user's",
      token: "5f0c4f3e-0000-4000-8000-000000000001",
      want: [403, "ACL token not found"],
    },
  ]) {
    test(name, async () => {
      const reply = await api.ask("GET /v1/jobs", undefined, { token });
      expect([reply.status, reply.text]).toEqual(want);
    });
  }

  test("what everyone may ask says why", () => {
    const open = api.routes.flatMap(({ permission }) => (permission.kind === "everyone" ? [permission.why] : []));
    expect(open.every((why) => why.length > 10)).toBe(true);
  });
});
