import { execFile } from "node:child_process";
import type { DnsAddress } from "../../src/dns/dns.ts";

/** What `dig` prints for a question at a server. */
export function dig({ host, port }: DnsAddress, ...words: readonly string[]): Promise<string> {
  const args = [`@${host}`, "-p", String(port), "+tries=1", "+time=5", ...words];
  return new Promise((resolve, reject) => {
    execFile("dig", args, (error, stdout, stderr) => {
      if (error) reject(new Error(`dig ${words.join(" ")}: ${error.message}\n${stdout}${stderr}`));
      else resolve(stdout);
    });
  });
}
