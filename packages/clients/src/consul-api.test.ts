import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createNetServer } from "node:net";
import { type Clock, systemChance, systemClock } from "@millwright/core/ports";
import { afterEach, describe, expect, test } from "vitest";
import { ConsulClient } from "./consul.ts";
import { clientErrors } from "./errors.ts";

interface Seen {
  readonly line: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

const servers: Server[] = [];
const clients: ConsulClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A server that gives each request the next of the answers (the last again and again), and what it was asked. */
async function scripted(...answers: Answer[]): Promise<{ address: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const answer = answers[Math.min(seen.length, answers.length - 1)]!;
      seen.push({
        line: `${request.method} ${request.url}`,
        headers: request.headers,
        body: Buffer.concat(pieces).toString(),
      });
      answer(response, request);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  return { address: `127.0.0.1:${typeof bound === "object" ? bound?.port : 0}`, seen };
}

const json =
  (value: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
const refuse =
  (status: number, text: string): Answer =>
  (response) =>
    void response.writeHead(status).end(text);
const hangUp: Answer = (_response, request) => void request.socket.destroy();

const pauses: number[] = [];
const quick: Clock = {
  ...systemClock,
  sleep: async (milliseconds, signal) => {
    pauses.push(milliseconds);
    signal?.throwIfAborted();
  },
};

function clientOf(address: string, config: object = {}): ConsulClient {
  const client = new ConsulClient(
    { address, ...config },
    { clock: quick, chance: { ...systemChance, fraction: () => 0 } },
  );
  clients.push(client);
  return client;
}

describe("what is sent", () => {
  test("key, parameters and headers, percent-encoded", async () => {
    const { address, seen } = await scripted(json([], 404));
    const client = clientOf(address, {
      token: "t",
      basicAuth: "u:p",
      datacenter: "dc 2",
      namespace: "n",
      partition: "p",
    });
    await client.kv.get("a b/ü?#%", { consistency: "stale", index: 7, wait: 1500 });
    expect(seen[0]?.line).toBe("GET /v1/kv/a%20b/%C3%BC%3F%23%25?dc=dc+2&ns=n&partition=p&stale=&index=7&wait=1500ms");
    expect(seen[0]?.headers).toMatchObject({
      "x-consul-token": "t",
      authorization: `Basic ${Buffer.from("u:p").toString("base64")}`,
    });
  });

  test("a prefix of the address stands before every path", async () => {
    const { address, seen } = await scripted(json("leader"));
    await clientOf(`http://${address}/consul/`).leader();
    expect(seen[0]?.line).toBe("GET /consul/v1/status/leader");
  });

  test("writes", async () => {
    const { address, seen } = await scripted(json(true));
    const { kv } = clientOf(address);
    await kv.put("a", "v", { flags: 18446744073709551615n, cas: 0 });
    await kv.put("a", "v", { acquire: "s" });
    await kv.delete("a", { cas: 5, token: "other" });
    await kv.deleteTree("a/");
    expect(seen.map(({ line, body }) => `${line} ${body}`)).toEqual([
      "PUT /v1/kv/a?flags=18446744073709551615&cas=0 v",
      "PUT /v1/kv/a?acquire=s v",
      "DELETE /v1/kv/a?cas=5 ",
      "DELETE /v1/kv/a/?recurse= ",
    ]);
    expect(seen[2]?.headers["x-consul-token"]).toBe("other");
  });

  test("transactions", async () => {
    const { address, seen } = await scripted(json({ Results: [], Errors: null }));
    await clientOf(address).transaction([
      { verb: "cas", key: 'q"', value: "v", index: 3, flags: 18446744073709551615n },
      { verb: "get-tree", key: "t/" },
    ]);
    expect(seen[0]?.body).toBe(
      '[{"KV":{"Verb":"cas","Key":"q\\"","Value":"dg==","Flags":18446744073709551615,"Index":3}},{"KV":{"Verb":"get-tree","Key":"t/"}}]',
    );
  });
});

describe("what is sent again", () => {
  const entry = json([{ Key: "a", Value: "eA==", Flags: 0, CreateIndex: 1, ModifyIndex: 2, LockIndex: 0 }]);
  const cases: {
    name: string;
    answers: Answer[];
    call: (client: ConsulClient) => Promise<unknown>;
    sent: number;
    error?: object;
  }[] = [
    {
      name: "a read after a failing server",
      answers: [refuse(500, "x"), refuse(503, "x"), entry],
      call: (c) => c.kv.get("a"),
      sent: 3,
    },
    { name: "a read after a broken connection", answers: [hangUp, entry], call: (c) => c.kv.get("a"), sent: 2 },
    {
      name: "a read up to three times",
      answers: [refuse(500, "down")],
      call: (c) => c.kv.get("a"),
      sent: 3,
      error: clientErrors.serverFailed,
    },
    { name: "a plain write", answers: [hangUp, json(true)], call: (c) => c.kv.put("a", "1"), sent: 2 },
    {
      name: "no check-and-set: it may have been done",
      answers: [hangUp],
      call: (c) => c.kv.put("a", "1", { cas: 3 }),
      sent: 1,
      error: clientErrors.undecided,
    },
    {
      name: "no check-and-set after a failing server",
      answers: [refuse(500, "x")],
      call: (c) => c.kv.put("a", "1", { cas: 3 }),
      sent: 1,
      error: clientErrors.serverFailed,
    },
    {
      name: "a check-and-set that was turned away",
      answers: [refuse(429, "busy"), json(true)],
      call: (c) => c.kv.put("a", "1", { cas: 3 }),
      sent: 2,
    },
    {
      name: "no transaction that writes",
      answers: [hangUp],
      call: (c) => c.transaction([{ verb: "delete", key: "a" }]),
      sent: 1,
      error: clientErrors.undecided,
    },
    {
      name: "a transaction that reads",
      answers: [hangUp, json({ Results: [] })],
      call: (c) => c.transaction([{ verb: "get", key: "a" }]),
      sent: 2,
    },
    {
      name: "nothing that was refused",
      answers: [refuse(400, "no")],
      call: (c) => c.kv.get("a"),
      sent: 1,
      error: clientErrors.badRequest,
    },
    {
      name: "nothing that is not allowed",
      answers: [refuse(403, "no")],
      call: (c) => c.kv.get("a"),
      sent: 1,
      error: clientErrors.denied,
    },
    {
      name: "nothing too large",
      answers: [refuse(413, "no")],
      call: (c) => c.kv.put("a", "1"),
      sent: 1,
      error: clientErrors.tooLarge,
    },
  ];
  test.each(cases)("$name", async ({ answers, call, sent, error }) => {
    const { address, seen } = await scripted(...answers);
    pauses.length = 0;
    const outcome = await call(clientOf(address)).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(outcome).toEqual(error ? expect.objectContaining({ kind: error }) : undefined);
    expect(seen).toHaveLength(sent);
    expect(pauses).toEqual([50, 100].slice(0, sent - 1));
  });
});

describe("a refusal says where, what and what to do", () => {
  test("denied", async () => {
    const { address } = await scripted(refuse(403, "Permission denied: no"));
    await expect(clientOf(address).kv.get("a")).rejects.toThrow(
      `GET http://${address}/v1/kv/a answered 403: Permission denied: no\nCheck the token (CONSUL_HTTP_TOKEN, -token) and what its policies allow.`,
    );
  });

  test("another kind of server", async () => {
    for (const answer of [json({ no: "list" }), refuse(200, "<html>")]) {
      const { address } = await scripted(answer);
      const failure = await clientOf(address)
        .kv.get("a")
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({ kind: clientErrors.badAnswer });
      expect(String(failure)).toMatch(/Check that the address is that of a Consul HTTP API/);
    }
  });

  test("an answer that ends early", async () => {
    const { address } = await scripted((response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write("[");
      setTimeout(() => response.destroy(), 10);
    });
    await expect(clientOf(address).kv.get("a")).rejects.toMatchObject({ kind: clientErrors.broken });
  });

  test("an unknown host, and a socket that is not there", async () => {
    await expect(clientOf("no-such-host.invalid:8500").kv.get("a")).rejects.toThrow(
      /Cannot reach http:\/\/no-such-host.invalid:8500: the host name (is not known|could not be looked up)/,
    );
    await expect(clientOf("unix:///nonexistent/consul.sock").kv.get("a")).rejects.toThrow(
      "Cannot reach unix:///nonexistent/consul.sock: there is no such socket. Check the path, and that the server runs.",
    );
  });

  test("a server without TLS where TLS is spoken", async () => {
    const { address } = await scripted(json([]));
    await expect(clientOf(`https://${address}`).kv.get("a")).rejects.toMatchObject({ kind: clientErrors.untrusted });
  });

  test("no secret is in any message", async () => {
    const { address } = await scripted(refuse(403, "no"));
    const client = clientOf(address, { token: "s3cret-token", basicAuth: "user:s3cret-password" });
    const failure = await client.kv.get("a", { token: "s3cret-call" }).catch((error: unknown) => error);
    expect(String(failure)).not.toMatch(/s3cret/);
  });
});

describe("watches", () => {
  const at = (index: number, value: string): Answer =>
    json(
      [
        {
          Key: "w",
          Value: Buffer.from(value).toString("base64"),
          Flags: 0,
          CreateIndex: 1,
          ModifyIndex: index,
          LockIndex: 0,
        },
      ],
      200,
      {
        "x-consul-index": String(index),
      },
    );

  async function watched(
    count: number,
    ...answers: Answer[]
  ): Promise<{ values: string[]; indexes: (string | null)[]; failures: string[] }> {
    const { address, seen } = await scripted(...answers);
    const stop = new AbortController();
    const values: string[] = [];
    const failures: string[] = [];
    const settings = {
      signal: stop.signal,
      clock: quick,
      onFailure: ({ code }: { code: string }) => void failures.push(code),
    };
    for await (const { value } of clientOf(address).watchKey("w", settings)) {
      values.push(Buffer.from(value?.value ?? "").toString());
      if (values.length === count) stop.abort();
    }
    return {
      values,
      failures,
      indexes: seen.map(({ line }) => new URL(line.split(" ")[1]!, "http://x").searchParams.get("index")),
    };
  }

  test("go on from the index they were given", async () => {
    const { values, indexes } = await watched(3, at(5, "a"), at(7, "b"), at(8, "c"));
    expect(values).toEqual(["a", "b", "c"]);
    expect(indexes).toEqual([null, "5", "7"]);
  });

  test("an index that stays is a wait that ran out", async () => {
    const { values, indexes } = await watched(2, at(5, "a"), at(5, "a"), at(6, "b"));
    expect(values).toEqual(["a", "b"]);
    expect(indexes).toEqual([null, "5", "5"]);
  });

  test("an index that goes back starts again from nothing", async () => {
    const { values, indexes } = await watched(2, at(50, "a"), at(3, "?"), at(3, "b"));
    expect(values).toEqual(["a", "b"]);
    expect(indexes).toEqual([null, "50", null]);
  });

  test("an index of 0 never makes a busy loop", async () => {
    const { values, indexes } = await watched(2, at(0, "a"), at(4, "b"));
    expect(values).toEqual(["a", "b"]);
    expect(indexes).toEqual([null, "1"]);
  });

  test("failures are waited out and told, longer each time", async () => {
    pauses.length = 0;
    const down = Array.from({ length: 6 }, () => refuse(500, "x"));
    const { values, failures } = await watched(1, ...down, at(5, "a"));
    expect(values).toEqual(["a"]);
    expect(failures).toEqual(["CLIENT_SERVER_FAILED", "CLIENT_SERVER_FAILED"]);
    expect(pauses.filter((pause) => pause >= 500)).toHaveLength(2);
  });

  test("a refusal ends them", async () => {
    await expect(watched(1, refuse(403, "no"))).rejects.toMatchObject({ kind: clientErrors.denied });
  });
});

test("a server that accepts and says nothing is given up", async () => {
  const server = createNetServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  const stop = AbortSignal.timeout(50);
  const client = clientOf(`127.0.0.1:${typeof bound === "object" ? bound?.port : 0}`);
  await expect(client.kv.get("a", { signal: stop })).rejects.toMatchObject({ name: "TimeoutError" });
  await client.close();
  server.close();
});
