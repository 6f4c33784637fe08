import { once } from "node:events";
import type { Duplex } from "node:stream";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import ssh2, { type Client, type ClientChannel, type ConnectConfig, type SFTPWrapper } from "ssh2";
import type { Connection, Login } from "./connection.ts";
import { provisionerErrors } from "./errors.ts";
import { Lines } from "./lines.ts";
import { throughProxy } from "./proxy.ts";

/** A machine that one is logged in to. */
export class Remote {
  readonly #client: Client;
  readonly #bastion: Client | undefined;

  private constructor(client: Client, bastion: Client | undefined) {
    this.#client = client;
    this.#bastion = bastion;
  }

  /**
   * Logs in, trying again until the connection's timeout: a machine that was only just made takes its time. Rejects with
   * `unreachable`, or with the signal's reason.
   */
  static async open(
    connection: Connection,
    {
      clock,
      signal,
      env,
    }: {
      readonly clock: Clock;
      readonly signal: AbortSignal;
      readonly env: Readonly<Record<string, string | undefined>>;
    },
  ): Promise<Remote> {
    // What is no key does not become one by waiting.
    for (const login of [connection, connection.bastion]) if (login) checkKey(login);
    const until = clock.monotonic() + connection.timeout;
    for (let pause = 500; ; pause = Math.min(pause * 2, 10_000)) {
      signal.throwIfAborted();
      try {
        const agent = connection.agent ? env.SSH_AUTH_SOCK : undefined;
        return await Remote.#once(connection, { left: until - clock.monotonic(), agent, signal });
      } catch (error) {
        // A wrong host key does not become right by waiting.
        if (error instanceof OperationalError) throw error;
        if (clock.monotonic() + pause < until) {
          await clock.sleep(pause, signal);
          continue;
        }
        const where = `${connection.user}@${connection.host}:${connection.port}`;
        throw new OperationalError(
          provisionerErrors.unreachable,
          `timeout - last error: SSH login to ${where} failed: ${messageOf(error)}`,
          { cause: error },
        );
      }
    }
  }

  static async #once(
    connection: Connection,
    {
      left,
      agent,
      signal,
    }: { readonly left: number; readonly agent: string | undefined; readonly signal: AbortSignal },
  ): Promise<Remote> {
    const { bastion, proxy } = connection;
    const first = proxy ? { sock: await throughProxy(proxy, bastion ?? connection, { left, signal }) } : {};
    if (!bastion) return new Remote(await logIn(connection, { left, agent, ...first }), undefined);
    const way = await logIn(bastion, { left, agent, ...first });
    try {
      const sock = await forward(way, connection);
      return new Remote(await logIn(connection, { left, agent, sock }), way);
    } catch (error) {
      way.end();
      throw error;
    }
  }

  /** Runs a line; its output is told line by line. Resolves to the exit status, or the name of the signal that ended it. */
  async run(line: string, output: (line: string) => void, signal: AbortSignal): Promise<number | string> {
    const channel = await new Promise<ClientChannel>((resolve, reject) => {
      this.#client.exec(line, (error, opened) => (error ? reject(error) : resolve(opened)));
    });
    const lines = new Lines(output);
    const faults = new Lines(output);
    channel.on("data", (piece: Buffer) => lines.write(piece));
    channel.stderr.on("data", (piece: Buffer) => faults.write(piece));
    // What runs there is asked to end; whether it does is not waited for.
    const over = new AbortController();
    const stopped = once(signal, "abort", { signal: over.signal }).then(
      () => channel.signal("INT"),
      () => undefined,
    );
    let ended: number | string = "lost connection";
    channel.on("exit", (code: number | null, name?: string) => (ended = code ?? name ?? "lost connection"));
    await Promise.race([once(channel, "close"), signal.aborted ? channel.signal("INT") : stopped]);
    over.abort();
    lines.end();
    faults.end();
    signal.throwIfAborted();
    return ended;
  }

  /** The machine's files. */
  files(): Promise<SFTPWrapper> {
    return new Promise((resolve, reject) => {
      this.#client.sftp((error, files) => (error ? reject(error) : resolve(files)));
    });
  }

  close(): void {
    this.#client.end();
    this.#bastion?.end();
  }
}

function checkKey({ host, privateKey }: Login): void {
  const parsed = privateKey === undefined ? undefined : ssh2.utils.parseKey(privateKey);
  if (!(parsed instanceof Error)) return;
  const why = `The private key for ${host} cannot be used: ${parsed.message}. Give the text of a key without a passphrase, as file("id_ed25519") does, or use an agent.`;
  throw new OperationalError(provisionerErrors.misconfigured, why, { cause: parsed });
}

interface LoggingIn {
  /** Milliseconds. */
  readonly left: number;
  readonly agent: string | undefined;
  readonly sock?: Duplex;
}

async function logIn(login: Login, { left, agent, sock }: LoggingIn): Promise<Client> {
  const { host, port, user: username, password, privateKey, hostKey } = login;
  let wrongKey = false;
  const verifier = (key: Buffer) => {
    wrongKey = hostKey !== undefined && !isKey(hostKey, key);
    return !wrongKey;
  };
  const config: ConnectConfig = {
    host,
    port,
    username,
    readyTimeout: Math.max(1_000, Math.min(left, 30_000)),
    hostVerifier: verifier,
    ...(password === undefined ? {} : { password }),
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(agent ? { agent } : {}),
    ...(sock ? { sock } : {}),
  };
  const client = new ssh2.Client();
  try {
    await new Promise<void>((resolve, reject) => {
      client
        .once("ready", resolve)
        .on("error", reject)
        .once("close", () => reject(new Error("the connection was closed")));
      client.connect(config);
    });
  } catch (error) {
    client.end();
    if (!wrongKey) throw error;
    const why = `The key of ${host}:${port} is not the one that the connection's host_key says. Another machine may have taken its place: look into that, then put the right key there.`;
    throw new OperationalError(provisionerErrors.unreachable, why, { cause: error });
  }
  // One command's few bytes would wait for an acknowledgement each.
  client.setNoDelay(true);
  return client;
}

function forward(way: Client, { host, port }: Login): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    way.forwardOut("127.0.0.1", 0, host, port, (error, channel) => (error ? reject(error) : resolve(channel)));
  });
}

/** Whether a line of known_hosts (or its last two words) is about that public key. */
function isKey(line: string, key: Buffer): boolean {
  return line.split(/\s+/).includes(key.toString("base64"));
}
