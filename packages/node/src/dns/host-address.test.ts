import { expect, test } from "vitest";
import { addressKey, parseHostAddress } from "./host-address.ts";

const cases: readonly { name: string; input: string; want: string | object }[] = [
  { name: "IPv4", input: "10.0.255.1", want: "0a00ff01" },
  { name: "IPv6 in short", input: "fd00::1:2", want: "fd000000000000000000000000010002" },
  { name: "IPv6 in full", input: "2001:db8:1:2:3:4:5:6", want: "20010db8000100020003000400050006" },
  { name: "zeros in front", input: "::1", want: "00000000000000000000000000000001" },
  { name: "zeros at the end", input: "fe80::", want: "fe800000000000000000000000000000" },
  { name: "IPv4 within IPv6", input: "::ffff:10.0.0.1", want: "00000000000000000000ffff0a000001" },
  { name: "a zone", input: "fe80::1%eth0", want: "fe800000000000000000000000000001" },
  { name: "a name", input: "db.example.com", want: { kind: "name", name: "db.example.com" } },
  { name: "a name with a dot at its end", input: "db.example.com.", want: { kind: "name", name: "db.example.com" } },
  { name: "nothing", input: "", want: { kind: "none" } },
  { name: "what is no name", input: "unix:///run/x", want: { kind: "none" } },
  { name: "a name with an empty label", input: "a..b", want: { kind: "none" } },
];
for (const { name, input, want } of cases)
  test(`an address is read: ${name}`, () => {
    const address = parseHostAddress(input);
    expect("bytes" in address ? addressKey(address.bytes) : address).toEqual(want);
  });
