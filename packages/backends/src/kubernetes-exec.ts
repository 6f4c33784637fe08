import { join } from "node:path";
import { messageOf } from "@millwright/core/errors";
import type { BackendPorts } from "./backend-type.ts";
import { isText, recordOf, unusable } from "./kubeconfig.ts";
import { runCommand } from "./run-command.ts";

/** A program that gives credentials for a cluster. */
export interface KubeExec {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What a command with a slash is relative to. */
  readonly folder: string;
}

export interface ExecCredential {
  readonly token?: string;
  readonly certificate?: string;
  readonly key?: string;
  /** Milliseconds since 1970; undefined where it holds for as long as the program runs. */
  readonly expires?: number;
}

/**
 * Asks a program for credentials, which it cannot ask people for here.
 * Source: Kubernetes's documentation of client-go credential plugins.
 */
export async function execCredential(exec: KubeExec, ports: BackendPorts): Promise<ExecCredential> {
  const { apiVersion, command, args } = exec;
  const path = command.includes("/") && !command.startsWith("/") ? join(exec.folder, command) : command;
  const info = JSON.stringify({ apiVersion, kind: "ExecCredential", spec: { interactive: false } });
  const env = { ...ports.env, ...exec.env, KUBERNETES_EXEC_INFO: info };
  let answer: unknown;
  try {
    answer = JSON.parse(await runCommand([path, ...args], "", { folder: ports.folder, env }));
  } catch (error) {
    const why = error instanceof SyntaxError ? "its answer is no JSON" : messageOf(error);
    throw unusable(`the command ${command}, which is to give credentials for it, failed: ${why}`);
  }
  const record = recordOf(answer);
  const status = recordOf(record?.["status"]);
  if (record?.["apiVersion"] !== apiVersion || record["kind"] !== "ExecCredential" || !status)
    throw unusable(`the command ${command} answered with no ExecCredential of ${apiVersion}`);
  const { token, clientCertificateData: certificate, clientKeyData: key, expirationTimestamp: expires } = status;
  return {
    ...(isText(token) ? { token } : {}),
    ...(isText(certificate) && isText(key) ? { certificate, key } : {}),
    ...(isText(expires) ? { expires: Date.parse(expires) } : {}),
  };
}
