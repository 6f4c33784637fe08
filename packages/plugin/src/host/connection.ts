import type { ChannelCredentials, ServiceError } from "@grpc/grpc-js";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { CallName, RequestOf, ResponseOf } from "../wire/calls.ts";
import { callPath, calls } from "../wire/calls.ts";
import { emptyMessage, shutdownPath } from "../wire/go-plugin.ts";
import type { Draft, MessageType } from "../wire/message.ts";
import type { ProtocolVersion } from "../wire/schema-messages.ts";
import { pluginErrors } from "./errors.ts";
import type { PluginAddress } from "./handshake.ts";
import { grpcTarget } from "./handshake.ts";

/** This side's certificate and key in PEM, and the one certificate of the other side that is accepted, in DER. */
export interface PluginTls {
  readonly certificate: string;
  readonly key: string;
  readonly peer: Uint8Array;
}

export interface ConnectionOptions {
  readonly version: ProtocolVersion;
  readonly address: PluginAddress;
  readonly tls: PluginTls | undefined;
  readonly explain?: Explain;
}

/** Says better why a call has failed, where more is known than the connection does. */
export type Explain = (error: OperationalError) => Promise<OperationalError>;

/** The schemas of a large provider are one message of several megabytes. */
const largestMessage = 256 * 1024 * 1024;

/** The calls of a provider's program over gRPC, as messages. */
export class PluginConnection {
  readonly version: ProtocolVersion;
  readonly #client: Client;
  readonly #explain: Explain;

  constructor({ version, address, tls, explain }: ConnectionOptions) {
    this.version = version;
    this.#explain = explain ?? (async (error) => error);
    this.#client = new Client(grpcTarget(address), tls ? mutualTls(tls) : credentials.createInsecure(), {
      "grpc.max_receive_message_length": largestMessage,
      "grpc.max_send_message_length": largestMessage,
      // A path of a socket is no name that a certificate or a server could know.
      "grpc.ssl_target_name_override": "localhost",
      "grpc.default_authority": "localhost",
      "grpc.enable_http_proxy": 0,
      // A change that may have been made is never asked for again by the transport.
      "grpc.enable_retries": 0,
    });
  }

  /**
   * Makes a call. Rejects with `crashed` where the program has ended, `unknownCall` where it does not know the call, and
   * `callFailed` else.
   */
  async call<N extends CallName>(name: N, request: Draft<RequestOf<N>>): Promise<ResponseOf<N>> {
    const { request: question, response: answer } = calls[name];
    const path = callPath(this.version, name);
    try {
      return await this.#unary(
        path,
        request,
        question as MessageType<RequestOf<N>>,
        answer as unknown as MessageType<ResponseOf<N>>,
      );
    } catch (error) {
      throw await this.#explain(operational(path, error));
    }
  }

  /** Asks the program to end. That the call fails is well: the program may be gone before it answers. */
  async shutdown(milliseconds: number): Promise<void> {
    const deadline = Date.now() + milliseconds;
    await this.#unary(shutdownPath, {}, emptyMessage, emptyMessage, deadline).catch(() => undefined);
  }

  close(): void {
    this.#client.close();
  }

  #unary<Q, R>(
    path: string,
    request: Draft<Q>,
    question: MessageType<Q>,
    answer: MessageType<R>,
    deadline = Number.POSITIVE_INFINITY,
  ): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        (draft: Draft<Q>) => question.encode(draft),
        (bytes: Buffer) => answer.decode(bytes),
        request,
        new Metadata(),
        { deadline },
        (error, response) => (error || response === undefined ? reject(error) : resolve(response)),
      );
    });
  }
}

function mutualTls({ certificate, key, peer }: PluginTls): ChannelCredentials {
  const body = Buffer.from(peer)
    .toString("base64")
    .replace(/(.{64})/g, "$1\n");
  const root = `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
  return credentials.createSsl(Buffer.from(root), Buffer.from(key), Buffer.from(certificate));
}

function operational(path: string, error: unknown): OperationalError {
  const { code } = error as Partial<ServiceError>;
  const call = path.slice(path.lastIndexOf("/") + 1);
  if (code === status.UNAVAILABLE || code === status.CANCELLED)
    return new OperationalError(pluginErrors.crashed, `The connection broke during ${call}: ${messageOf(error)}`, {
      cause: error,
    });
  if (code === status.UNIMPLEMENTED)
    return new OperationalError(pluginErrors.unknownCall, `The provider does not know the call ${call}`, {
      cause: error,
    });
  return new OperationalError(pluginErrors.callFailed, `The call ${call} failed: ${messageOf(error)}`, {
    cause: error,
  });
}
