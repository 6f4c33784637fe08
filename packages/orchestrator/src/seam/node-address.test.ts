import { expect, test } from "vitest";
import { checkNodeAddress } from "./node-address.ts";

test.each([
  { name: "another machine's", address: "10.0.0.7:4646", remote: "10.0.0.7:50000" },
  { name: "behind a translation of addresses", address: "10.0.0.7:4646", remote: "203.0.113.1:50000" },
  { name: "this machine's", address: "127.0.0.1:4646", remote: "127.0.0.1:50000" },
  { name: "this machine's, over IPv6", address: "[::1]:4646", remote: "::1:50000" },
  { name: "this machine's, asked over IPv4 in IPv6", address: "127.0.0.1:4646", remote: "::ffff:127.0.0.1:50000" },
  { name: "an IPv6 address", address: "[2001:db8::7]:4646", remote: "2001:db8::7:50000" },
])("a node may be asked at $name", ({ address, remote }) => {
  expect(() => checkNodeAddress(address, remote)).not.toThrow();
});

test.each([
  { name: "the server itself", address: "127.0.0.1:8200" },
  { name: "the server itself, in IPv6", address: "[::1]:8200" },
  { name: "the server itself, as IPv4 in IPv6", address: "[::ffff:127.0.0.1]:8200" },
  { name: "whatever is the server's", address: "0.0.0.0:8500" },
  { name: "what a cloud tells its machines", address: "169.254.169.254:80" },
  { name: "a path of another program", address: "10.0.0.7:8500/v1/kv/x?" },
  { name: "a name, which may mean anything later", address: "localhost:8500" },
  { name: "a login", address: "a@10.0.0.7:80" },
  { name: "no port", address: "10.0.0.7" },
  { name: "no such port", address: "10.0.0.7:65536" },
])("a node on another machine may not send requests to $name", ({ address }) => {
  expect(() => checkNodeAddress(address, "10.0.0.7:50000")).toThrow("HTTPAddress");
});
