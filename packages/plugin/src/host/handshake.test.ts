import { expect, test } from "vitest";
import { grpcTarget, readHandshake } from "./handshake.ts";

const certificate = Buffer.alloc(60, 7);
const unpadded = certificate.toString("base64").replace(/=+$/, "");

test.each([
  {
    name: "a socket with a certificate",
    line: `1|6|unix|/tmp/plugin123|grpc|${unpadded}\n`,
    want: { version: 6, address: { network: "unix", path: "/tmp/plugin123" }, certificate },
  },
  {
    name: "a port without one, and a seventh field",
    line: "1|5|tcp|127.0.0.1:10000|grpc||true",
    want: { version: 5, address: { network: "tcp", host: "127.0.0.1", port: 10000 }, certificate: undefined },
  },
  {
    name: "a port of IPv6",
    line: "1|5|tcp|[::1]:10000|grpc|",
    want: { version: 5, address: { network: "tcp", host: "::1", port: 10000 }, certificate: undefined },
  },
])("reads $name", ({ line, want }) => {
  expect(readHandshake(line)).toEqual(want);
});

test.each([
  { name: "a word of greeting", line: "Usage of foo:", why: /wrote "Usage of foo:" first/ },
  { name: "another core version", line: "2|5|unix|/a|grpc|", why: /version 2 of the plugin system/ },
  { name: "an older protocol", line: "1|4|unix|/a|grpc|", why: /version 4 of the provider protocol/ },
  { name: "another kind of call", line: "1|5|unix|/a|", why: /net\/rpc/ },
  { name: "another network", line: "1|5|udp|1.2.3.4:1|grpc|", why: /no address this program can reach/ },
  { name: "a port without a number", line: "1|5|tcp|localhost|grpc|", why: /no address/ },
])("refuses $name", ({ line, why }) => {
  expect(readHandshake(line)).toEqual({ why: expect.stringMatching(why) });
});

test("an address is written as gRPC wants it", () => {
  expect(grpcTarget({ network: "unix", path: "/tmp/a" })).toBe("unix:/tmp/a");
  expect(grpcTarget({ network: "tcp", host: "::1", port: 5 })).toBe("[::1]:5");
});
