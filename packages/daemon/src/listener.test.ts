import { once } from "node:events";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { Agent, get, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { OperationalError } from "@millwright/core/errors";
import type { HttpService } from "@millwright/core/http";
import { type Log, systemClock } from "@millwright/core/ports";
import { afterEach, describe, expect, test } from "vitest";
import { daemonErrors } from "./errors.ts";
import { formatAddress, type ListenAddress, listen, type Listener } from "./listener.ts";

const open: Listener[] = [];
afterEach(async () => {
  for (const listener of open.splice(0)) await listener.close(0);
});

const lines: { message: string; fields: Readonly<Record<string, unknown>> }[] = [];
const log: Log = { write: (_level, message, fields = {}) => void lines.push({ message, fields }) };

async function serve(
  service: HttpService,
  address: ListenAddress = { kind: "tcp", host: "127.0.0.1", port: 0 },
  free = false,
) {
  const listener = await listen({
    address,
    service,
    clock: systemClock,
    log,
    requestId: () => "id-7",
    freePortIfTaken: free,
  });
  open.push(listener);
  return listener;
}

const text =
  (body: string): HttpService =>
  async () => ({ status: 200, headers: { "content-type": "text/plain" }, body });
const portOf = ({ address }: Listener) => (address.kind === "tcp" ? address.port : 0);

test("an answer that names its encoding goes out as it is, piece by piece", async () => {
  const later = Promise.withResolvers<void>();
  const listener = await serve(async () => ({
    status: 200,
    headers: { "content-type": "text/plain", "content-encoding": "identity" },
    body: (async function* () {
      yield "first";
      await later.promise;
    })(),
  }));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ host: "127.0.0.1", port: portOf(listener), headers: { "accept-encoding": "gzip" } }, resolve).on(
      "error",
      reject,
    );
  });
  const [piece] = await once(response, "data");
  expect(String(piece)).toBe("first");
  later.resolve();
  response.resume();
});

test("whoever goes before the answer is whole has not made a failure", async () => {
  lines.length = 0;
  const gone = Promise.withResolvers<void>();
  const listener = await serve(async ({ signal }) => ({
    status: 200,
    headers: {},
    body: (async function* () {
      yield "first";
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
    })(),
  }));
  const asked = get({ host: "127.0.0.1", port: portOf(listener) }, (response) => {
    response.once("data", () => asked.destroy());
  });
  asked.on("error", () => gone.resolve()).on("close", () => gone.resolve());
  await gone.promise;
  await expect.poll(() => lines.map(({ message }) => message)).toContain("http: given up");
  expect(lines.map(({ message }) => message)).not.toContain("http: a request failed");
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly bytes: Buffer;
}

function ask(listener: Listener, path: string, headers: Record<string, string> = {}, agent?: Agent): Promise<Answer> {
  const { address } = listener;
  const where = address.kind === "unix" ? { socketPath: address.path } : { host: "127.0.0.1", port: address.port };
  return new Promise((resolve, reject) => {
    get({ ...where, path, headers, ...(agent ? { agent } : {}) }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(pieces) }),
      );
    }).on("error", reject);
  });
}

describe("where it listens", () => {
  test("a port that is taken is refused with its address and what to do", async () => {
    const first = await serve(text("1"));
    const refusal = await serve(text("2"), first.address).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ kind: daemonErrors.addressTaken });
    expect((refusal as Error).message).toBe(
      `Cannot listen on 127.0.0.1:${portOf(first)}: another process has it. Stop that process, or choose another port (-http-port; 0 takes any free one).`,
    );
  });

  test("a free port is taken instead where that is wanted", async () => {
    const first = await serve(text("1"));
    const second = await serve(text("2"), first.address, true);
    expect(portOf(second)).not.toBe(portOf(first));
    expect((await ask(second, "/")).bytes.toString()).toBe("2");
  });

  test("an address that is not this machine's is refused", async () => {
    await expect(serve(text(""), { kind: "tcp", host: "203.0.113.7", port: 0 })).rejects.toThrow(
      /no such address. Check -client/,
    );
  });

  test("a Unix socket, for this user alone, also where a dead one was left", async () => {
    const folder = await mkdtemp(join(tmpdir(), "millwright-socket-"));
    const address = { kind: "unix", path: join(folder, "http.sock") } as const;
    const first = await serve(text("1"), address);
    expect((await ask(first, "/")).bytes.toString()).toBe("1");
    expect((await stat(address.path)).mode & 0o777).toBe(0o600);
    await expect(serve(text("2"), address)).rejects.toMatchObject({ kind: daemonErrors.addressTaken });
    expect(formatAddress(first.address)).toBe(`unix://${address.path}`);
    await first.close(0);

    await leaveDeadSocket(address.path);
    const second = await serve(text("3"), address);
    expect((await ask(second, "/")).bytes.toString()).toBe("3");
    await second.close(0);
    await rm(folder, { recursive: true, force: true });
  });

  test("a file that is no socket is not touched", async () => {
    const folder = await mkdtemp(join(tmpdir(), "millwright-socket-"));
    await writeFile(join(folder, "notes"), "mine");
    await expect(serve(text(""), { kind: "unix", path: join(folder, "notes") })).rejects.toThrow(/Cannot listen/);
    await rm(folder, { recursive: true });
  });
});

test("a browser's change for a page of elsewhere is refused before anybody looks at it", async () => {
  let asked = 0;
  const listener = await serve(async () => {
    asked++;
    return { status: 200, headers: {} };
  });
  const { address } = listener;
  const port = address.kind === "tcp" ? address.port : 0;
  const answers = await Promise.all(
    [{ origin: "http://evil.example" }, { origin: `http://127.0.0.1:${port}` }, {}].map((headers) =>
      fetchStatus({ method: "PUT", port, headers }),
    ),
  );
  expect(answers).toEqual([403, 200, 200]);
  expect(asked).toBe(2);
});

function fetchStatus({ method, port, headers }: { method: string; port: number; headers: object }): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port, method, headers: { ...headers } }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    })
      .on("error", reject)
      .end();
  });
}

describe("answers", () => {
  const large = "millwright ".repeat(1000);

  test("are compressed for who takes it, but not small ones", async () => {
    const listener = await serve(async ({ path }) => text(path === "/large" ? large : "small")({} as never));
    const plain = await ask(listener, "/large");
    expect(plain.headers["content-encoding"]).toBeUndefined();
    expect(plain.headers["content-length"]).toBe(String(large.length));
    const packed = await ask(listener, "/large", { "accept-encoding": "gzip, deflate" });
    expect(packed.headers).toMatchObject({ "content-encoding": "gzip", vary: "Accept-Encoding" });
    expect(gunzipSync(packed.bytes).toString()).toBe(large);
    expect((await ask(listener, "/small", { "accept-encoding": "gzip" })).headers["content-encoding"]).toBeUndefined();
    expect(
      (await ask(listener, "/large", { "accept-encoding": "gzip;q=0" })).headers["content-encoding"],
    ).toBeUndefined();
  });

  test("come piece by piece, compressed or not", async () => {
    const listener = await serve(async () => ({
      status: 200,
      headers: { "content-type": "text/plain" },
      body: (async function* pieces() {
        for (let i = 0; i < 300; i++) yield large;
      })(),
    }));
    expect((await ask(listener, "/")).bytes).toHaveLength(300 * large.length);
    expect(gunzipSync((await ask(listener, "/", { "accept-encoding": "gzip" })).bytes)).toHaveLength(
      300 * large.length,
    );
  });

  test("that break off are not taken for whole", async () => {
    for (const headers of [{}, { "accept-encoding": "gzip" }] as Record<string, string>[]) {
      const listener = await serve(async () => ({
        status: 200,
        headers: {},
        body: (async function* pieces() {
          yield "half";
          throw new Error("disk gone");
        })(),
      }));
      await expect(ask(listener, "/", headers)).rejects.toThrow();
    }
  });

  test("a bug becomes a 500 with an id that is in the log, and the server goes on", async () => {
    lines.length = 0;
    let calls = 0;
    const listener = await serve(async () => {
      if (calls++ === 0) throw new TypeError("x is not a function");
      return { status: 200, headers: {}, body: "fine" };
    });
    const broken = await ask(listener, "/v1/secret?token=abc");
    expect(broken.status).toBe(500);
    expect(broken.bytes.toString()).toMatch(/^Internal error id-7: /);
    expect(broken.bytes.toString()).not.toMatch(/not a function/);
    expect(lines[0]).toMatchObject({ fields: { id: "id-7", error: "x is not a function", path: "/v1/secret" } });
    expect(JSON.stringify(lines)).not.toMatch(/abc/);
    expect((await ask(listener, "/")).bytes.toString()).toBe("fine");
  });

  test("an operational error becomes its status and words", async () => {
    const kind = { code: "TEST_FULL", status: 507, retryable: false };
    const listener = await serve(async () => {
      throw new OperationalError(kind, "The disk is full.");
    });
    expect(await ask(listener, "/")).toMatchObject({ status: 507, bytes: Buffer.from("The disk is full.") });
  });

  test("what is no HTTP gets a 400", async () => {
    const listener = await serve(text(""));
    const said = await new Promise<string>((resolve) => {
      const socket = connect(portOf(listener), "127.0.0.1", () => socket.write("HELLO\r\n\r\n"));
      let got = "";
      socket.on("data", (piece) => {
        got += String(piece);
      });
      socket.on("close", () => resolve(got));
    });
    expect(said).toMatch(/^HTTP\/1.1 400 /);
  });

  test("a body that nobody reads does not spoil the connection", async () => {
    const listener = await serve(text("ok"));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await new Promise<void>((resolve, reject) => {
      const sent = request(
        { host: "127.0.0.1", port: portOf(listener), method: "PUT", path: "/", agent },
        (response) => {
          response.resume().on("end", resolve);
        },
      ).on("error", reject);
      sent.end(Buffer.alloc(200_000));
    });
    expect((await ask(listener, "/", {}, agent)).bytes.toString()).toBe("ok");
    agent.destroy();
  });
});

test("a client that sends without end gets its answer, and is cut off", async () => {
  const listener = await serve(async () => ({ status: 413, headers: {}, body: "too large" }));
  const piece = `10000\r\n${"x".repeat(65_536)}\r\n`;
  const { answer, ended } = await new Promise<{ answer: string; ended: number }>((resolve) => {
    const began = performance.now();
    let got = "";
    const socket = connect(portOf(listener), "127.0.0.1", () => {
      socket.write("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
      const send = () => {
        if (socket.writable && socket.write(piece)) setTimeout(send, 5);
        else socket.once("drain", send);
      };
      send();
    });
    socket.on("data", (data) => {
      got += String(data);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve({ answer: got, ended: performance.now() - began }));
  });
  expect(answer).toMatch(/^HTTP\/1.1 413 /);
  expect(ended).toBeLessThan(10_000);
});

test("headers are written as Go writes them", async () => {
  const listener = await serve(async () => ({
    status: 200,
    headers: { "x-consul-index": "7", "content-type": "text/plain" },
  }));
  const raw = await new Promise<string[]>((resolve, reject) => {
    get({ host: "127.0.0.1", port: portOf(listener) }, (response) => resolve(response.resume().rawHeaders)).on(
      "error",
      reject,
    );
  });
  expect(raw).toEqual(expect.arrayContaining(["X-Consul-Index", "Content-Type", "Content-Length"]));
});

describe("closing", () => {
  test("lets what is under way finish, tells waits to end, and takes nothing new", async () => {
    const listener = await serve(async ({ path, signal }) => {
      if (path === "/wait") await new Promise((resolve) => signal.addEventListener("abort", resolve));
      else await systemClock.sleep(100);
      return { status: 200, headers: {}, body: "done" };
    });
    const answers = [ask(listener, "/wait"), ask(listener, "/slow")];
    await systemClock.sleep(30);
    const closed = listener.close(5_000);
    for (const answer of answers) {
      const { bytes, headers } = await answer;
      expect(bytes.toString()).toBe("done");
      expect(headers.connection).toBe("close");
    }
    await closed;
    await expect(ask(listener, "/")).rejects.toThrow(/ECONNREFUSED/);
  });

  test("does not wait for idle connections", async () => {
    const listener = await serve(text("ok"));
    const agent = new Agent({ keepAlive: true });
    await ask(listener, "/", {}, agent);
    const began = performance.now();
    await listener.close(5_000);
    expect(performance.now() - began).toBeLessThan(500);
    agent.destroy();
  });

  test("cuts off what does not end in time", async () => {
    const never = Promise.withResolvers<never>();
    const listener = await serve(() => never.promise);
    const answer = ask(listener, "/").catch((error: unknown) => error);
    await systemClock.sleep(30);
    await listener.close(50);
    expect(await answer).toBeInstanceOf(Error);
  });

  test("the signal aborts when the client goes", async () => {
    const arrived = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    const listener = await serve(async ({ signal }) => {
      signal.addEventListener("abort", () => gone.resolve());
      arrived.resolve();
      await gone.promise;
      return { status: 200, headers: {} };
    });
    const sent = get({ host: "127.0.0.1", port: portOf(listener), path: "/" }).on("error", () => undefined);
    await arrived.promise;
    sent.destroy();
    await gone.promise;
  });
});

// As a killed process leaves it: the file is there, nobody listens.
async function leaveDeadSocket(path: string): Promise<void> {
  const { spawnSync } = await import("node:child_process");
  const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", script]);
  expect((await stat(path)).isSocket()).toBe(true);
}
