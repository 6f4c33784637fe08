import { expect, test } from "vitest";
import type { HttpRequest } from "./http.ts";
import { wrongMethodReply } from "./http-reply.ts";

const request = (method: string): HttpRequest => ({
  method,
  path: "/v1/kv/a",
  query: new URLSearchParams(),
  header: () => undefined,
  remote: "127.0.0.1:40000",
  signal: new AbortController().signal,
  body: () =>
    (async function* () {
      yield new Uint8Array();
    })(),
});

test("a method that a path does not take is refused, with those that it takes", () => {
  expect(wrongMethodReply(request("POST"), ["GET", "PUT"], "method POST not allowed")).toMatchObject({
    status: 405,
    headers: { allow: "OPTIONS,GET,PUT" },
    body: "method POST not allowed",
  });
});

test("who asks which methods a path takes is told them", () => {
  const reply = wrongMethodReply(request("OPTIONS"), ["GET", "PUT"], "method OPTIONS not allowed");
  expect(reply).toEqual({ status: 200, headers: { allow: "OPTIONS,GET,PUT" } });
});
