import type { Chance } from "@millwright/core/ports";
import { type SelfSigned, selfSigned } from "@millwright/x509/self-signed";

/** The certificate of one side, for one run: each side accepts the other's very certificate, and no authority stands behind it. */
export function ownCertificate(now: number, chance: Chance): Promise<SelfSigned> {
  return selfSigned({
    curve: "P-256",
    commonName: "localhost",
    organization: "Millwright",
    subjectAltNames: ["localhost"],
    keyUsages: ["digitalSignature", "keyEncipherment", "keyAgreement", "keyCertSign"],
    extendedKeyUsages: ["clientAuth", "serverAuth"],
    isAuthority: true,
    serial: chance.bytes(16),
    notBefore: new Date(now - 30_000),
    notAfter: new Date(now + tenYears),
  });
}

// A provider may run as long as its host does.
const tenYears = 10 * 365 * 24 * 3_600_000;
