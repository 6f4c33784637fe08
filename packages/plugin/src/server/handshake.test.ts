import { expect, test } from "vitest";
import { type HostOffer, handshakeLine, readOffer } from "./handshake.ts";

const magic = {
  TF_PLUGIN_MAGIC_COOKIE: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
};

const offers: readonly { name: string; env: Record<string, string>; want: HostOffer }[] = [
  { name: "without the cookie somebody has started it by hand", env: {}, want: { kind: "by-hand" } },
  {
    name: "another cookie is none",
    env: { TF_PLUGIN_MAGIC_COOKIE: "x", PLUGIN_PROTOCOL_VERSIONS: "6" },
    want: { kind: "by-hand" },
  },
  {
    name: "of both versions the newer is taken, in whatever order they come",
    env: { ...magic, PLUGIN_PROTOCOL_VERSIONS: "6,5" },
    want: { kind: "hosted", version: 6, asksForMultiplex: false },
  },
  {
    name: "a host of version 5 is served version 5",
    env: { ...magic, PLUGIN_PROTOCOL_VERSIONS: "4,5" },
    want: { kind: "hosted", version: 5, asksForMultiplex: false },
  },
  {
    name: "a host of other versions is refused",
    env: { ...magic, PLUGIN_PROTOCOL_VERSIONS: "4" },
    want: { kind: "no-common-version", offered: "4" },
  },
  {
    name: "what else the host wants is read",
    env: {
      ...magic,
      PLUGIN_PROTOCOL_VERSIONS: "6",
      PLUGIN_CLIENT_CERT: "PEM",
      PLUGIN_UNIX_SOCKET_DIR: "/run/x",
      PLUGIN_MULTIPLEX_GRPC: "true",
    },
    want: { kind: "hosted", version: 6, clientCertificate: "PEM", socketFolder: "/run/x", asksForMultiplex: true },
  },
];

test.each(offers)("$name", ({ env, want }) => {
  expect(readOffer(env)).toEqual(want);
});

test("the line has a certificate without padding, and the seventh field only where the host asks for it", () => {
  const answer = { version: 6, socket: "/tmp/s", certificate: Uint8Array.of(1), answersMultiplex: true } as const;
  expect(handshakeLine(answer)).toBe("1|6|unix|/tmp/s|grpc|AQ|false\n");
  expect(handshakeLine({ version: 5, socket: "/tmp/s", answersMultiplex: false })).toBe("1|5|unix|/tmp/s|grpc|\n");
});
