import type { IdentitySchema } from "@millwright/provider/schema";
import type { IdentitySchemaMessage } from "./common.ts";
import type { Draft } from "./message.ts";
import { typeBytes, typeOfBytes } from "./schema.ts";

export function fromIdentitySchemaMessage({ version, identityAttributes }: IdentitySchemaMessage): IdentitySchema {
  return {
    version,
    attributes: new Map(
      identityAttributes.map(({ name, type, requiredForImport, optionalForImport, description }) => [
        name,
        {
          type: typeOfBytes(type),
          requiredForImport,
          optionalForImport,
          ...(description === "" ? {} : { description }),
        },
      ]),
    ),
  };
}

export function toIdentitySchemaMessage({ version, attributes }: IdentitySchema): Draft<IdentitySchemaMessage> {
  return {
    version,
    identityAttributes: [...attributes].map(([name, attribute]) => ({
      name,
      type: typeBytes(attribute.type),
      requiredForImport: attribute.requiredForImport,
      optionalForImport: attribute.optionalForImport,
      description: attribute.description,
    })),
  };
}
