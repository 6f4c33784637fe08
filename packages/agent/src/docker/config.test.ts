import type { Json } from "@millwright/jobs/shape";
import { describe, expect, test } from "vitest";
import { parseDockerConfig } from "./config.ts";

const parse = (config: Readonly<Record<string, Json>>) => parseDockerConfig({ image: "redis:7", ...config });

describe("a config is read", () => {
  const cases: readonly { name: string; input: Record<string, Json>; want: Record<string, unknown> }[] = [
    {
      name: "with the image alone",
      input: {},
      want: {
        image: "redis:7",
        load: [],
        command: undefined,
        port_map: {},
        network_mode: "",
        image_pull_timeout: 300_000,
      },
    },
    { name: "load as a list, as in 2016", input: { load: ["a.tar", "b.tar"] }, want: { load: ["a.tar", "b.tar"] } },
    { name: "load as one text", input: { load: "a.tar" }, want: { load: ["a.tar"] } },
    {
      name: "port_map as a block",
      input: { port_map: [{ http: 8080 }, { db: "5432" }] },
      want: { port_map: { http: 8080, db: 5432 } },
    },
    { name: "port_map as an attribute", input: { port_map: { http: 8080 } }, want: { port_map: { http: 8080 } } },
    {
      name: "labels as a block",
      input: { labels: [{ team: "a", level: 3 }] },
      want: { labels: { team: "a", level: "3" } },
    },
    { name: "truth as a text", input: { privileged: "true" }, want: { privileged: true } },
    { name: "numbers as texts", input: { pids_limit: "100" }, want: { pids_limit: 100 } },
    { name: "entrypoint as one text", input: { entrypoint: "/init" }, want: { entrypoint: ["/init"] } },
    { name: "durations", input: { image_pull_timeout: "1m30s" }, want: { image_pull_timeout: 90_000 } },
    {
      name: "a login",
      input: { auth: [{ username: "u", password: "p" }] },
      want: { auth: { username: "u", password: "p", serveraddress: "" } },
    },
    { name: "null as nothing said", input: { command: null }, want: { command: undefined } },
  ];
  test.each(cases)("$name", ({ input, want }) => {
    expect(parse(input)).toMatchObject(want);
  });
});

describe("a config is refused", () => {
  const cases: readonly { name: string; input: Record<string, Json>; says: string }[] = [
    { name: "without an image", input: { image: "" }, says: "image is missing" },
    {
      name: "an option that is misspelt",
      input: { comand: "x" },
      says: "There is no option comand. Did you mean command?",
    },
    {
      name: "an option that is Nomad's and not there",
      input: { logging: [{ type: "syslog" }] },
      says: "logging is not there. A task's output goes to",
    },
    { name: "a text for a list", input: { args: "-x" }, says: 'args cannot be "-x": write a list of texts.' },
    { name: "a port that is none", input: { port_map: { http: 99999 } }, says: "write a block of labels and ports" },
    { name: "a number that is none", input: { shm_size: -1 }, says: "shm_size cannot be -1: write a whole number." },
    { name: "a duration that is none", input: { image_pull_timeout: "5" }, says: 'write a duration such as "5m"' },
  ];
  test.each(cases)("$name", ({ input, says }) => {
    expect(() => parse(input)).toThrow(says);
  });

  test("with all that is wrong at once, and no password in it", () => {
    const config = { auth: ["s3cret"], args: "x", colour: "red" };
    expect(() => parse(config)).toThrow(/There is no option colour.*auth cannot be what it is.*args cannot be/);
  });
});
