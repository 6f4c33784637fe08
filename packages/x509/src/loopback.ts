import { type SelfSigned, selfSigned } from "./self-signed.ts";

/** A certificate for a server that this machine alone reaches, good for an hour; whoever asks it trusts that very certificate. */
export function loopbackCertificate(now: number): Promise<SelfSigned> {
  return selfSigned({
    curve: "P-256",
    commonName: "localhost",
    subjectAltNames: ["localhost", "127.0.0.1"],
    keyUsages: ["digitalSignature", "keyCertSign"],
    extendedKeyUsages: ["serverAuth"],
    isAuthority: true,
    serial: Uint8Array.of(1, 2, 3),
    notBefore: new Date(now - 60_000),
    notAfter: new Date(now + 3_600_000),
  });
}
