import { expect, test } from "vitest";
import { ownAddress } from "./own-address.ts";

const one = (address: string, internal: boolean, family: "IPv4" | "IPv6" = "IPv4") =>
  ({ address, internal, family, netmask: "", mac: "", cidr: null, scopeid: 0 }) as const;
const interfaces = { lo: [one("127.0.0.1", true)], eth0: [one("fe80::1", false, "IPv6"), one("10.0.0.7", false)] };

const cases = [
  {
    name: "loopback, where all servers are on it",
    servers: ["127.0.0.1:8500", "http://localhost:8500"],
    want: "127.0.0.1",
  },
  { name: "loopback, where no server is known", servers: [], want: "127.0.0.1" },
  {
    name: "the machine's first, where a server is elsewhere",
    servers: ["127.0.0.1:1", "10.0.0.5:8500"],
    want: "10.0.0.7",
  },
];
test.each(cases)("others reach a node under $name", ({ servers, want }) => {
  expect(ownAddress(servers, interfaces)).toBe(want);
});
