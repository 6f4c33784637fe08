import type { MethodDefinition } from "@grpc/grpc-js";

/** A method whose messages are bytes here: whoever serves it decodes and encodes them. */
export function rawMethod(path: string, answers: "one" | "many"): MethodDefinition<Buffer, Buffer> {
  return {
    path,
    requestStream: false,
    responseStream: answers === "many",
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

function same(message: Buffer): Buffer {
  return message;
}
