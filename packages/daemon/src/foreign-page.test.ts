import type { Socket } from "node:net";
import { hostname } from "node:os";
import { expect, test } from "vitest";
import { foreignPage } from "./foreign-page.ts";

const here = "127.0.0.1";
const cases = [
  { name: "a program's request", method: "PUT", host: "127.0.0.1:8500", from: here, isForeign: false },
  { name: "a program's request under any name", method: "PUT", host: "evil.example", from: here, isForeign: false },
  { name: "another page's change", origin: "http://evil.example", host: "127.0.0.1:8500", from: here, isForeign: true },
  { name: "a change for a page of no place", origin: "null", host: "127.0.0.1:8500", from: here, isForeign: true },
  {
    name: "a change for a page on another port",
    origin: "http://localhost:3000",
    host: "localhost:8500",
    from: here,
    isForeign: true,
  },
  {
    name: "a change under a name that was made to mean this machine",
    origin: "http://evil.example:8500",
    host: "evil.example:8500",
    from: here,
    isForeign: true,
  },
  {
    name: "the same over IPv6",
    origin: "http://evil.example:8500",
    host: "EVIL.example:8500",
    from: "::ffff:127.0.0.1",
    isForeign: true,
  },
  {
    name: "an own page's change",
    origin: "http://127.0.0.1:8500",
    host: "127.0.0.1:8500",
    from: here,
    isForeign: false,
  },
  { name: "the same over IPv6", origin: "http://[::1]:8500", host: "[::1]:8500", from: "::1", isForeign: false },
  { name: "the same by name", origin: "http://localhost:8500", host: "localhost:8500", from: here, isForeign: false },
  {
    name: "the same by a name of the catalog",
    origin: "http://consul.service.consul:8500",
    host: "consul.service.consul:8500",
    from: here,
    isForeign: false,
  },
  {
    name: "the same by the machine's name",
    origin: `http://${hostname()}.example.com`,
    host: `${hostname()}.example.com`,
    from: here,
    isForeign: false,
  },
  {
    name: "an own page's change from elsewhere",
    origin: "https://server.example.com",
    host: "server.example.com",
    from: "10.0.0.9",
    isForeign: false,
  },
  {
    name: "a read",
    method: "GET",
    origin: "http://evil.example",
    host: "127.0.0.1:8500",
    from: here,
    isForeign: false,
  },
];

test.each(cases)("$name: $isForeign", ({ method = "PUT", origin, host, from, isForeign }) => {
  const headers = { host, ...(origin === undefined ? {} : { origin }) };
  const socket = { remoteAddress: from } as Socket;
  expect(foreignPage({ method, headers, socket })).toBe(isForeign ? origin : undefined);
});
