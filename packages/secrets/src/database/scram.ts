import { createHash, createHmac, pbkdf2 } from "node:crypto";
import { promisify } from "node:util";
import type { Chance } from "@millwright/core/ports";

const iterations = 4_096;

/**
 * What PostgreSQL stores of a password with SCRAM (RFC 5803, as PostgreSQL writes it): it takes this in place of the password, so
 * that the password itself never reaches the server's log. The password is plain ASCII, which needs no preparation.
 */
export async function scramVerifier(password: string, chance: Chance): Promise<string> {
  const salt = Buffer.from(chance.bytes(16));
  const salted = await promisify(pbkdf2)(password, salt, iterations, 32, "sha256");
  const clientKey = createHmac("sha256", salted).update("Client Key").digest();
  const storedKey = createHash("sha256").update(clientKey).digest("base64");
  const serverKey = createHmac("sha256", salted).update("Server Key").digest("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}
