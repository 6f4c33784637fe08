import type { ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import { shutdownPath, streamStdioPath } from "../wire/go-plugin.ts";
import { rawMethod } from "./raw-method.ts";

/** A gRPC service over undecoded messages. */
export interface RawService {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

/**
 * What every plugin serves beside its own calls: being asked to end, whether it is well, and its output.
 * Source: github.com/hashicorp/go-plugin, grpc_controller.proto and grpc_stdio.proto; grpc.health.v1.
 */
export function pluginServices(shutDown: () => void): readonly RawService[] {
  return [controller(shutDown), health, output];
}

const empty = Buffer.alloc(0);

function controller(shutDown: () => void): RawService {
  return {
    definition: { Shutdown: rawMethod(shutdownPath, "one") },
    implementation: {
      Shutdown: (_call: unknown, answer: (error: null, message: Buffer) => void) => {
        answer(null, empty);
        shutDown();
      },
    },
  };
}

// Field 1 of the answer, the status: serving.
const serving = Buffer.of(0x08, 0x01);

const health: RawService = {
  definition: {
    Check: rawMethod("/grpc.health.v1.Health/Check", "one"),
    Watch: rawMethod("/grpc.health.v1.Health/Watch", "many"),
  },
  implementation: {
    Check: (_call: unknown, answer: (error: null, message: Buffer) => void) => answer(null, serving),
    Watch: (call: { write(message: Buffer): void }) => call.write(serving),
  },
};

// Output goes to the program's own standard error, which the host reads; the stream stays open, and nothing comes.
const output: RawService = {
  definition: { StreamStdio: rawMethod(streamStdioPath, "many") },
  implementation: { StreamStdio: () => undefined },
};
