import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:tls";
import { describe, expect, test } from "vitest";
import { type SelfSignedOptions, selfSigned } from "./self-signed.ts";

const options: SelfSignedOptions = {
  curve: "P-256",
  commonName: "localhost",
  organization: "Millwright",
  subjectAltNames: ["localhost", "127.0.0.1", "2001:db8::1", "::ffff:10.0.0.1"],
  keyUsages: ["digitalSignature", "keyEncipherment", "keyAgreement", "keyCertSign"],
  extendedKeyUsages: ["clientAuth", "serverAuth"],
  isAuthority: true,
  serial: Uint8Array.of(0xff, 1, 2),
  notBefore: new Date("2026-01-02T03:04:05.678Z"),
  notAfter: new Date("2050-01-02T03:04:05Z"),
};

describe.each(["P-256", "P-521"] as const)("a self-signed certificate of curve %s", (curve) => {
  test("says what it was made with", async () => {
    const { certificate } = await selfSigned({ ...options, curve });
    expect(certificate.subject).toBe("O=Millwright\nCN=localhost");
    expect(certificate.issuer).toBe(certificate.subject);
    expect(certificate.subjectAltName).toBe(
      "DNS:localhost, IP Address:127.0.0.1, IP Address:2001:DB8:0:0:0:0:0:1, IP Address:0:0:0:0:0:FFFF:A00:1",
    );
    expect(certificate.ca).toBe(true);
    expect(certificate.serialNumber).toBe("7F0102");
    expect(certificate.validFromDate).toEqual(new Date("2026-01-02T03:04:05Z"));
    expect(certificate.validToDate).toEqual(new Date("2050-01-02T03:04:05Z"));
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"]);
  });

  test("is signed by its own key", async () => {
    const { certificate, privateKey } = await selfSigned({ ...options, curve });
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(privateKey)).toBe(true);
  });

  test("is read by openssl with its key usages", async () => {
    const { certificate } = await selfSigned({ ...options, curve });
    const text = execFileSync("openssl", ["x509", "-noout", "-text"], { input: certificate.toString() }).toString();
    expect(text).toContain("X509v3 Key Usage: critical");
    expect(text).toContain("Digital Signature, Key Encipherment, Key Agreement, Certificate Sign\n");
    expect(text).toContain("TLS Web Client Authentication, TLS Web Server Authentication");
    expect(text).toContain("X509v3 Basic Constraints: critical");
  });

  test("is enough for two sides that know each other by it alone", async () => {
    const validity = { notBefore: new Date(Date.now() - 30_000), notAfter: new Date(Date.now() + 3_600_000) };
    const here = await selfSigned({ ...options, ...validity, curve });
    const there = await selfSigned({ ...options, ...validity, curve: "P-521" });
    const pem = ({ certificate, privateKey }: typeof here) => ({
      cert: certificate.toString(),
      key: privateKey.export({ format: "pem", type: "pkcs8" }),
    });
    const server = createServer({ ...pem(here), ca: there.certificate.toString(), requestCert: true }, (socket) =>
      socket.end(String(socket.authorized)),
    ).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ...pem(there), ca: pem(here).cert });
    const [said] = await once(socket, "data");
    server.close();
    expect(String(said)).toBe("true");
    expect(socket.authorized).toBe(true);
  });
});

test("a validity that ends before it begins is kept as it was asked for", async () => {
  const { certificate } = await selfSigned({ ...options, isAuthority: false, notAfter: new Date("2025-12-31Z") });
  expect(certificate.validToDate.getTime()).toBeLessThan(certificate.validFromDate.getTime());
  expect(certificate.ca).toBe(false);
});
