import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import { connectionFault, type ProbeContext, type ProbeResult } from "./result.ts";
import { splitAddress } from "./tcp.ts";

/**
 * Sends a datagram. UDP has no answer of its own: what is refused is critical; an answer, or silence for the whole timeout,
 * is passing.
 */
export function probeUdp(
  { address, timeout }: { readonly address: string; readonly timeout: number },
  { signal }: ProbeContext,
): Promise<ProbeResult> {
  const { host, port } = splitAddress(address);
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
    let isOver = false;
    const settle = (result: ProbeResult) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(silence);
      socket.close();
      resolve(result);
    };
    const success = () => settle({ status: "passing", output: `UDP connect ${address}: Success` });
    const silence = setTimeout(success, timeout);
    signal.addEventListener("abort", () => settle({ status: "critical", output: "given up" }), { once: true });
    socket.on("error", (error: NodeJS.ErrnoException) =>
      settle({ status: "critical", output: connectionFault(error, address).replace("dial tcp", "read udp") }),
    );
    socket.on("message", success);
    // Told as an event where the host cannot be found; a callback would be called then too.
    socket.on("connect", () => socket.send(""));
    socket.connect(port, host);
  });
}
