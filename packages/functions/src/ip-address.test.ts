import { expect, test } from "vitest";
import { formatIp, formatNetwork, parseIp, parseNetwork } from "./ip-address.ts";

test.each([
  { input: "10.0.0.1", want: "10.0.0.1" },
  { input: "010.00.0.001", want: "10.0.0.1" },
  { input: "::", want: "::" },
  { input: "::1", want: "::1" },
  { input: "1::", want: "1::" },
  { input: "2001:DB8:0:0:1:2:3:4", want: "2001:db8::1:2:3:4" },
  { input: "2001:db8:0:1:1:1:1:1", want: "2001:db8:0:1:1:1:1:1" },
  { input: "1:0:0:2:0:0:0:3", want: "1:0:0:2::3" },
  { input: "::ffff:1.2.3.4", want: "1.2.3.4" },
  { input: "64:ff9b::1.2.3.4", want: "64:ff9b::102:304" },
  { input: "1.2.3", want: undefined },
  { input: "1.2.3.256", want: undefined },
  { input: "1.2.3.4.5", want: undefined },
  { input: "1.2..4", want: undefined },
  { input: "1:2:3:4:5:6:7", want: undefined },
  { input: "1:2:3:4:5:6:7:8:9", want: undefined },
  { input: "1:2:3:4::5:6:7:8", want: undefined },
  { input: "1::2::3", want: undefined },
  { input: "12345::", want: undefined },
  { input: "1.2.3.4::", want: undefined },
  { input: ":1::", want: undefined },
  { input: "", want: undefined },
])("$input is the address $want", ({ input, want }) => {
  const address = parseIp(input);
  expect(address && formatIp(address)).toBe(want);
});

test.each([
  { input: "10.1.2.3/8", want: "10.0.0.0/8" },
  { input: "10.1.2.3/32", want: "10.1.2.3/32" },
  { input: "10.1.2.3/0", want: "0.0.0.0/0" },
  { input: "2001:db8:ffff::/33", want: "2001:db8:8000::/33" },
  { input: "10.1.2.3/33", want: undefined },
  { input: "10.1.2.3", want: undefined },
  { input: "10.1.2.3/-1", want: undefined },
  { input: "10.1.2.3/8/8", want: undefined },
])("$input is the network $want", ({ input, want }) => {
  const network = parseNetwork(input);
  expect(network && formatNetwork(network)).toBe(want);
});
