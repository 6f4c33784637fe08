import { describe, expect, test } from "vitest";
import { parseAsked } from "./asked.ts";
import { recordTypes } from "./records.ts";

const domains = [["consul"], ["dc", "example", "org"]];
const ask = (name: string, type: keyof typeof recordTypes = "A") =>
  parseAsked(name === "" ? [] : name.split("."), recordTypes[type], domains);

describe("a name below the domain", () => {
  const cases: readonly { name: string; input: string; type?: keyof typeof recordTypes; want: object }[] = [
    { name: "a service", input: "web.service.consul", want: { kind: "service", service: "web" } },
    { name: "a service in lower case", input: "WEB.Service.consul", want: { kind: "service", service: "web" } },
    {
      name: "a service by its tag",
      input: "V1.web.service.consul",
      want: { kind: "service", service: "web", tag: "v1" },
    },
    {
      name: "a tag with dots",
      input: "v1.2.web.service.consul",
      want: { kind: "service", service: "web", tag: "v1.2" },
    },
    {
      name: "a service elsewhere",
      input: "web.service.dc2.consul",
      want: { kind: "service", service: "web", datacenter: "dc2" },
    },
    {
      name: "a service elsewhere, with a marker",
      input: "web.service.dc2.dc.consul",
      want: { kind: "service", service: "web", datacenter: "dc2" },
    },
    { name: "RFC 2782 with tcp", input: "_web._tcp.service.consul", want: { kind: "service", service: "web" } },
    {
      name: "RFC 2782 with a tag",
      input: "_web._v1.service.consul",
      want: { kind: "service", service: "web", tag: "v1" },
    },
    {
      name: "RFC 2782 without the label service",
      input: "_web._tcp.consul",
      type: "SRV",
      want: { kind: "service", service: "web" },
    },
    {
      name: "RFC 2782 without the label service, elsewhere",
      input: "_web._tcp.dc2.consul",
      type: "SRV",
      want: { kind: "service", service: "web", datacenter: "dc2" },
    },
    {
      name: "RFC 2782 without the label service, for another type",
      input: "_web._tcp.consul",
      want: { kind: "nothing" },
    },
    { name: "a label in front of services", input: "_tcp.service.consul", want: { kind: "branch" } },
    { name: "a node", input: "n1.node.consul", want: { kind: "node", node: "n1" } },
    {
      name: "a node with dots",
      input: "n1.rack.node.dc2.consul",
      want: { kind: "node", node: "n1.rack", datacenter: "dc2" },
    },
    { name: "a node called service", input: "service.node.consul", want: { kind: "node", node: "service" } },
    { name: "a spelled address", input: "0a000001.addr.consul", want: { kind: "address" } },
    { name: "a spelled address of a strange length", input: "0a0000.addr.consul", want: { kind: "nothing" } },
    { name: "the apex", input: "consul", want: { kind: "apex" } },
    { name: "a kind alone", input: "service.consul", want: { kind: "branch" } },
    { name: "a kind elsewhere", input: "service.dc2.consul", want: { kind: "branch", datacenter: "dc2" } },
    { name: "a datacenter", input: "dc1.consul", want: { kind: "branch", datacenter: "dc1" } },
    { name: "a name of no kind", input: "a.b.consul", want: { kind: "nothing" } },
    { name: "a place of too many labels", input: "web.service.a.b.consul", want: { kind: "nothing" } },
    { name: "a prepared query", input: "q.query.consul", want: { kind: "nothing" } },
    { name: "a mesh name", input: "web.connect.consul", want: { kind: "nothing" } },
    {
      name: "the other domain",
      input: "web.service.DC.example.org",
      want: { kind: "service", domain: "DC.example.org" },
    },
  ];
  for (const { name, input, type, want } of cases) {
    test(name, () => {
      const expected = "domain" in want ? want : { domain: "consul", ...want };
      expect(ask(input, type)).toMatchObject(expected);
      if (!("kind" in want) || want.kind !== "service" || "tag" in want) return;
      expect(ask(input, type)).not.toHaveProperty("tag");
    });
  }
});

describe("a name elsewhere", () => {
  for (const name of ["", "org", "example.org", "www.example.com", "consul.com", "xconsul"])
    test(`"${name}" is outside`, () => {
      expect(ask(name)).toEqual({ kind: "outside" });
    });

  const cases = [
    { name: "IPv4", input: "2.0.0.10.in-addr.arpa", want: { kind: "reverse", address: "0a000002" } },
    {
      name: "IPv6",
      input: `${"2.0.0.0.".padEnd(56, "0.")}0.0.d.f.ip6.arpa`.replace("IN", "in"),
      want: { kind: "reverse", address: "fd000000000000000000000000000002" },
    },
    { name: "half an address", input: "0.10.in-addr.arpa", want: { kind: "outside" } },
    { name: "no number", input: "x.0.0.10.in-addr.arpa", want: { kind: "outside" } },
    { name: "a number too large", input: "256.0.0.10.in-addr.arpa", want: { kind: "outside" } },
  ];
  for (const { name, input, want } of cases)
    test(`the name of an address is that address: ${name}`, () => {
      expect(ask(input, "PTR")).toEqual(want);
      expect(ask(input, "A")).toEqual({ kind: "outside" });
    });
});
