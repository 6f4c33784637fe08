import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { TcpProbe } from "../check-definition.ts";
import { connectionFault, type ProbeContext, type ProbeResult } from "./result.ts";

/** Opens a connection, and closes it again. */
export function probeTcp(probe: TcpProbe, { signal }: ProbeContext): Promise<ProbeResult> {
  const { address, timeout } = probe;
  return new Promise((resolve) => {
    const socket = open(probe);
    const settle = (result: ProbeResult) => {
      clearTimeout(late);
      socket.destroy();
      resolve(result);
    };
    const critical = (output: string) => settle({ status: "critical", output });
    const late = setTimeout(() => critical(`dial tcp ${address}: i/o timeout`), timeout);
    signal.addEventListener("abort", () => critical("given up"), { once: true });
    socket.once(probe.tls ? "secureConnect" : "connect", () =>
      settle({ status: "passing", output: `TCP connect ${address}: Success` }),
    );
    socket.on("error", (error: NodeJS.ErrnoException) => critical(connectionFault(error, address)));
  });
}

function open({ address, tls, tlsVerify, tlsServerName }: TcpProbe): Socket {
  const { host, port } = splitAddress(address);
  if (!tls) return connect({ host, port });
  return connectTls({
    host,
    port,
    rejectUnauthorized: tlsVerify,
    ...(tlsServerName === "" ? {} : { servername: tlsServerName }),
  });
}

/** The parts of `host:port`; an IPv6 host may have brackets. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(address.slice(colon + 1)) };
}
