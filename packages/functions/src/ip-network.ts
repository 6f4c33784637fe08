import type { FunctionSpec, Parameter } from "@millwright/hcl/function-spec";
import { boolType, listType, numberType, stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { asString, boolValue, listValue, stringValue } from "@millwright/value/value";
import { bigIntegerArgument, integerArgument, notNull, refuse, text } from "./define.ts";
import type { Dialect } from "./dialect.ts";
import type { IpNetwork } from "./ip-address.ts";
import {
  contains,
  formatGroups,
  formatIp,
  formatNetwork,
  isMappedIpv4,
  networkOf,
  parseIp,
  parseNetwork,
  sizeOf,
} from "./ip-address.ts";

const prefix: Parameter = text("prefix");

function networkArgument(value: Value, argument?: number): IpNetwork {
  const given = asString(value);
  return parseNetwork(given) ?? refuse(`invalid CIDR expression: invalid CIDR address: ${given}`, argument);
}

const cidrhost: FunctionSpec = {
  name: "cidrhost",
  description:
    "The address with a number within an address block (`10.0.0.0/8`); a negative number counts from its end.",
  parameters: [prefix, { name: "hostnum", type: numberType }],
  returnType: stringType,
  refineResult: notNull,
  call: ([block, hostnum]) => {
    const number = bigIntegerArgument(hostnum!);
    const network = networkArgument(block!);
    const size = sizeOf(network);
    const place = number < 0n ? number + size : number;
    if (place < 0n || place >= size) {
      refuse(`prefix of ${network.prefixLength} does not accommodate a host numbered ${place}`);
    }
    return stringValue(formatIp({ bits: network.bits, value: network.value + place }));
  },
};

const cidrnetmask: FunctionSpec = {
  name: "cidrnetmask",
  description: "The netmask of an IPv4 address block, as `255.0.0.0`.",
  parameters: [prefix],
  returnType: stringType,
  refineResult: notNull,
  call: ([block]) => {
    const network = networkArgument(block!);
    const { bits, prefixLength } = network;
    if (bits === 128 && !isMappedIpv4(network)) {
      refuse(`IPv6 addresses cannot have a netmask: ${asString(block!)}`);
    }
    const mask = networkOf({ bits, value: (1n << BigInt(bits)) - 1n }, prefixLength);
    return stringValue(bits === 128 ? formatGroups(mask.value) : formatIp(mask));
  },
};

const cidrsubnet: FunctionSpec = {
  name: "cidrsubnet",
  description: "The address block with a number among those that are smaller by some bits than the given one.",
  parameters: [prefix, { name: "newbits", type: numberType }, { name: "netnum", type: numberType }],
  returnType: stringType,
  refineResult: notNull,
  call: ([block, newbits, netnum]) => {
    const bits = integerArgument(newbits!);
    const number = bigIntegerArgument(netnum!);
    const network = networkArgument(block!);
    const prefixLength = network.prefixLength + bits;
    if (prefixLength > network.bits) {
      refuse(`insufficient address space to extend prefix of ${network.prefixLength} by ${bits}`);
    }
    // The reference makes something of a negative number, but nothing that lies within the block.
    if (number < 0n || number >= 1n << BigInt(Math.max(0, bits)) || prefixLength < 0) {
      refuse(`prefix extension of ${bits} does not accommodate a subnet numbered ${number}`);
    }
    const value = network.value + (number << BigInt(network.bits - prefixLength));
    return stringValue(formatNetwork({ bits: network.bits, value, prefixLength }));
  },
};

/** Terraform takes no more at once, whatever the address family. */
const mostNewBits = 32;

function cidrsubnets(dialect: Dialect): FunctionSpec {
  return {
    name: "cidrsubnets",
    description: "Address blocks one behind another within the given one, each smaller by its number of bits.",
    parameters: [prefix],
    variadic: { name: "newbits", type: numberType },
    returnType: listType(stringType),
    refineResult: notNull,
    call: ([block, ...lengths]) => {
      const network = networkArgument(block!, 0);
      const subnets: Value[] = [];
      let current: IpNetwork | undefined;
      for (const [index, length] of lengths.entries()) {
        const bits = integerArgument(length, index + 1);
        const prefixLength = checkedLength(network, bits, index + 1, dialect);
        current = blockBehind(network, current ?? blockBefore(network, prefixLength), prefixLength, index + 1);
        subnets.push(stringValue(formatNetwork(current)));
      }
      return listValue(subnets, stringType);
    },
  };
}

function checkedLength(network: IpNetwork, bits: number, argument: number, dialect: Dialect): number {
  if (bits < 1) refuse("must extend prefix by at least one bit", argument);
  if (dialect === "terraform" && bits > mostNewBits) {
    refuse(`may not extend prefix by more than ${mostNewBits} bits`, argument);
  }
  const length = network.prefixLength + bits;
  if (length > network.bits) {
    const family = network.bits === 32 ? "IPv4" : "IPv6";
    refuse(`would extend prefix to ${length} bits, which is too long for an ${family} address`, argument);
  }
  return length;
}

/** The block that ends where the network begins; before the very first address comes the very last, as in the reference. */
function blockBefore(network: IpNetwork, prefixLength: number): IpNetwork {
  const value = BigInt.asUintN(network.bits, network.value - 1n);
  return networkOf({ bits: network.bits, value }, prefixLength);
}

/** The next block of that size behind `current`, aligned as blocks are. */
function blockBehind(network: IpNetwork, current: IpNetwork, prefixLength: number, argument: number): IpNetwork {
  const last = current.value + sizeOf(current) - 1n;
  const around = networkOf({ bits: network.bits, value: last }, prefixLength);
  const next: IpNetwork = { ...around, value: around.value + sizeOf(around) };
  if (next.value >= 1n << BigInt(network.bits) || !contains(network, next)) {
    const where = `${prefixLength} bits after ${formatNetwork(current)}`;
    refuse(`not enough remaining address space for a subnet with a prefix of ${where}`, argument);
  }
  return next;
}

const cidrcontains: FunctionSpec = {
  name: "cidrcontains",
  description: "Whether an address block contains an address, or all of another block.",
  parameters: [text("containing_prefix"), text("contained_ip_or_prefix")],
  returnType: boolType,
  call: ([containing, contained]) => {
    const [outer, inner] = [asString(containing!), asString(contained!)];
    const network = parseNetwork(outer) ?? refuse(`invalid CIDR address: ${outer}`);
    const address = parseIp(inner);
    const block = address ? { ...address, prefixLength: address.bits } : parseNetwork(inner);
    if (!block) refuse(`invalid IP address or prefix: ${inner}`);
    if (block.bits !== network.bits) refuse(`address family mismatch: ${outer} vs. ${inner}`);
    return boolValue(contains(network, block) && block.prefixLength >= network.prefixLength);
  },
};

export function ipNetworkFunctions(dialect: Dialect): readonly FunctionSpec[] {
  const both = [cidrhost, cidrnetmask, cidrsubnet, cidrsubnets(dialect)];
  return dialect === "opentofu" ? [...both, cidrcontains] : both;
}
