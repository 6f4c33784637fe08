import { describe, expect, test } from "vitest";
import {
  parseKeySource,
  parseNodeSource,
  parseNodesSource,
  parseSecretSource,
  parseServiceSource,
  parseServicesSource,
  parseTreeSource,
} from "./source.ts";

describe("a source's text", () => {
  test.each([
    { name: "a key", parsed: parseKeySource("/app/a.b c"), want: { kind: "key", key: "app/a.b c", scope: {} } },
    { name: "a prefix", parsed: parseTreeSource("app/@dc1"), want: { prefix: "app/", scope: { datacenter: "dc1" } } },
    {
      name: "a service",
      parsed: parseServiceSource("web"),
      want: { id: "health.service(web|passing)", name: "web", filters: ["passing"] },
    },
    {
      name: "a service with all that it may have",
      parsed: parseServiceSource("v1.2.web?partition=p@dc1~node-a|warning,passing"),
      want: {
        id: "health.service(v1.2.web@dc1@partition=p~node-a|passing,warning)",
        name: "web",
        tag: "v1.2",
        near: "node-a",
        filters: ["passing", "warning"],
        scope: { datacenter: "dc1", partition: "p" },
      },
    },
    { name: "services", parsed: parseServicesSource(""), want: { kind: "services", scope: {} } },
    { name: "the own node", parsed: parseNodeSource(""), want: { kind: "node", id: "catalog.node()" } },
    { name: "a node", parsed: parseNodeSource("a.b@dc1"), want: { name: "a.b", scope: { datacenter: "dc1" } } },
    { name: "nodes", parsed: parseNodesSource("@dc1~_agent"), want: { near: "_agent" } },
    {
      name: "a secret of a version",
      parsed: parseSecretSource("/secret/app?version=2", undefined),
      want: { kind: "secret", path: "secret/app" },
    },
  ])("says $name", ({ parsed, want }) => {
    expect(parsed).toMatchObject({ ok: true, source: want });
  });

  test.each([
    { name: "an empty tag and name", parsed: parseServiceSource("a b"), says: "a service is written" },
    { name: "an unknown state", parsed: parseServiceSource("web|healthy"), says: "healthy: known are any, passing" },
    { name: "a peer", parsed: parseServiceSource("web?peer=x"), says: "the parameter peer is not known here" },
    { name: "a prefix of services", parsed: parseServicesSource("web"), says: "the services of another datacenter" },
    { name: "no path", parsed: parseSecretSource(" / ", undefined), says: "is no path of a secret" },
  ])("is refused for $name", ({ parsed, says }) => {
    expect(parsed).toMatchObject({ ok: false, error: expect.stringContaining(says) });
  });

  test("of a secret that is written shows nothing of what is written", () => {
    const parsed = parseSecretSource("pki/issue/web", { password: "s3cret" });
    if (!parsed.ok) throw new Error(parsed.error);
    expect(parsed.source.id).toMatch(/^vault\.write\(pki\/issue\/web -> [0-9a-f]{8}\)$/);
  });
});
