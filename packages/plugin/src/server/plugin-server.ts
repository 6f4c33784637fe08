import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { messageOf } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import type { SelfSigned } from "@millwright/x509/self-signed";
import {
  callNames,
  type CallName,
  callPath,
  calls,
  type RequestOf,
  type ResponseOf,
  type WireCall,
} from "../wire/calls.ts";
import { MalformedMessage } from "../wire/protobuf-reader.ts";
import type { ProtocolVersion } from "../wire/schema-messages.ts";
import { NotServed } from "./not-served.ts";
import { pluginServices } from "./plugin-services.ts";
import type { ProviderCalls } from "./provider-calls.ts";
import { rawMethod } from "./raw-method.ts";

/** A listener on a Unix socket in a folder of its own, which nobody else may enter. */
export interface PluginServer {
  readonly socket: string;
  /** Lets what is being answered be answered, ends connections, and removes the socket. */
  close(): Promise<void>;
}

export interface PluginServerOptions {
  readonly version: ProtocolVersion;
  /** The listener is there before them: the first request waits for them. */
  readonly calls: Promise<ProviderCalls>;
  /** Both sides know each other by their certificates alone; without, nothing is encrypted. */
  readonly trust?: { readonly own: SelfSigned; readonly clientCertificate: string };
  /** Where the socket's folder is made; the system's folder for what is temporary otherwise. */
  readonly socketFolder?: string;
  /** The host asks the program to end. */
  readonly onShutdown: () => void;
  readonly clock: Clock;
  /** What a call threw, which is a bug of the provider. */
  readonly onBug: (call: CallName, error: unknown) => void;
  /** Each request as it comes, for who compares hosts. */
  readonly onRequest?: (call: CallName, bytes: Uint8Array) => void;
}

export async function startPluginServer(options: PluginServerOptions): Promise<PluginServer> {
  // Schemas of large providers have megabytes.
  const server = new Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  for (const { definition, implementation } of pluginServices(options.onShutdown))
    server.addService(definition, implementation);
  server.addService(...providerService(options));
  const folder = mkdtempSync(join(options.socketFolder ?? tmpdir(), "plugin"));
  const socket = join(folder, "provider.sock");
  const close = async () => {
    await Promise.race([shutDown(server), options.clock.sleep(graceMilliseconds)]);
    server.forceShutdown();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await bind(server, socket, options.trust);
  } catch (error) {
    await close();
    throw error;
  }
  return { socket, close };
}

// The host itself waits two seconds, and keeps its connection and one stream open meanwhile.
const graceMilliseconds = 100;

function shutDown(server: Server): Promise<void> {
  return new Promise((resolve) => server.tryShutdown(() => resolve()));
}

function bind(server: Server, socket: string, trust: PluginServerOptions["trust"]): Promise<void> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, credentialsOf(trust), (error) => (error ? reject(error) : resolve()));
  });
}

function credentialsOf(trust: PluginServerOptions["trust"]): ServerCredentials {
  if (!trust) return ServerCredentials.createInsecure();
  const { certificate, privateKey } = trust.own;
  const pair = {
    private_key: Buffer.from(privateKey.export({ format: "pem", type: "pkcs8" })),
    cert_chain: Buffer.from(certificate.toString()),
  };
  return ServerCredentials.createSsl(Buffer.from(trust.clientCertificate), [pair], true);
}

function providerService(options: PluginServerOptions): [ServiceDefinition, UntypedServiceImplementation] {
  const definition = callNames.map((name) => [name, rawMethod(callPath(options.version, name), "one")] as const);
  const handlers = callNames.map((name) => [name, handlerOf(options, name)] as const);
  return [Object.fromEntries(definition), Object.fromEntries(handlers)];
}

function handlerOf<N extends CallName>(options: PluginServerOptions, name: N): handleUnaryCall<Buffer, Buffer> {
  const { request, response } = wireCallOf(name);
  const answerTo = async (sent: Buffer) => {
    const work = (await options.calls)[name];
    if (!work) throw new NotServed(`This provider has no ${name}.`);
    return response.encode(await work(request.decode(sent)));
  };
  return (call, answer) => {
    options.onRequest?.(name, call.request);
    answerTo(call.request).then(
      (encoded) => answer(null, encoded),
      (error: unknown) => {
        const code = codeOf(error);
        if (code === status.INTERNAL) options.onBug(name, error);
        answer({ code, details: messageOf(error) });
      },
    );
  };
}

// The table's type has each call's own messages, which a name of any call does not lead the compiler to.
function wireCallOf<N extends CallName>(name: N): WireCall<RequestOf<N>, ResponseOf<N>> {
  return calls[name] as unknown as WireCall<RequestOf<N>, ResponseOf<N>>;
}

function codeOf(error: unknown): status {
  if (error instanceof NotServed) return status.UNIMPLEMENTED;
  return error instanceof MalformedMessage ? status.INVALID_ARGUMENT : status.INTERNAL;
}
