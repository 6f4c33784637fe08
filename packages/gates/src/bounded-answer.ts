import { OperationalError } from "@millwright/core/errors";
import { longestTimer } from "@millwright/core/ports";
import { clientErrors } from "@millwright/clients/errors";
import type { HttpCall, HttpConnections } from "@millwright/clients/http";

/** What a gate reads of an answer at most: whoever answers is not trusted to end. */
const mostBytes = 1 << 20;

/** Status and text of an answer that has come as a whole, or as far as is read, within the call's time. Rejects like `send`. */
export async function boundedAnswer(
  server: HttpConnections,
  call: HttpCall & { readonly signal: AbortSignal },
): Promise<{ readonly status: number; readonly text: string }> {
  const timeoutMilliseconds = Math.min(call.timeoutMilliseconds, longestTimer);
  const late = AbortSignal.timeout(timeoutMilliseconds);
  try {
    // Nobody would end a connection that is kept for the next look.
    const headers = { connection: "close", ...call.headers };
    const signal = AbortSignal.any([call.signal, late]);
    const answer = await server.send({ ...call, headers, timeoutMilliseconds, signal });
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const piece of answer.stream()) {
      pieces.push(piece);
      size += piece.byteLength;
      if (size >= mostBytes) break;
    }
    return { status: answer.status, text: new TextDecoder().decode(Buffer.concat(pieces)) };
  } catch (error) {
    if (!late.aborted || call.signal.aborted) throw error;
    const seconds = call.timeoutMilliseconds / 1000;
    throw new OperationalError(clientErrors.broken, `no whole answer within ${seconds} s`, { cause: error });
  }
}
