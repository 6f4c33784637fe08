import { describe, expect, test } from "vitest";
import { readDnsConfig } from "./dns-config.ts";

const read = (value: unknown) => {
  const { value: settings, diagnostics } = readDnsConfig(value);
  return { settings, said: diagnostics.map(({ severity, summary }) => `${severity}: ${summary}`) };
};

test("settings of DNS are read from JSON", () => {
  const config = {
    node_ttl: "30s",
    service_ttl: { "*": "5s", "db*": "1m" },
    soa: { min_ttl: 60 },
    only_passing: true,
    udp_answer_limit: 5,
    enable_additional_node_meta_txt: false,
    recursor_timeout: "500ms",
    max_stale: "10s",
    enable_truncate: true,
  };
  expect(read(config)).toEqual({
    settings: {
      ttl: { node: 30, service: { "*": 5, "db*": 60 }, negative: 60 },
      onlyPassing: true,
      udpAnswerLimit: 5,
      nodeMeta: false,
      recursorTimeoutMilliseconds: 500,
      maxStaleMilliseconds: 10_000,
    },
    said: [],
  });
});

test("in HCL every block is a list", () => {
  const config = [{ node_ttl: "1s", service_ttl: [{ web: "2s" }] }, { service_ttl: [{ db: "3s" }] }];
  expect(read(config).settings).toEqual({ ttl: { node: 1, service: { web: 2, db: 3 } } });
});

describe("what cannot be is said", () => {
  const cases = [
    { name: "a time without a unit", input: { node_ttl: "10" }, want: ['error: dns_config.node_ttl cannot be "10"'] },
    { name: "a negative time", input: { max_stale: "-1s" }, want: ['error: dns_config.max_stale cannot be "-1s"'] },
    {
      name: "a list of times",
      input: { service_ttl: { web: [] } },
      want: ['error: dns_config.service_ttl cannot be {"web":[]}'],
    },
    { name: "no answers", input: { udp_answer_limit: 0 }, want: ["error: dns_config.udp_answer_limit cannot be 0"] },
    {
      name: "cutting in silence",
      input: { enable_truncate: false },
      want: ["error: dns_config.enable_truncate cannot be false"],
    },
    { name: "no block", input: "yes", want: ['error: dns_config cannot be "yes"'] },
    {
      name: "what is not there",
      input: { a_record_limit: 3 },
      want: ["warning: dns_config.a_record_limit changes nothing"],
    },
  ];
  for (const { name, input, want } of cases)
    test(name, () => {
      expect(read(input)).toEqual({ settings: {}, said: want });
    });
});
