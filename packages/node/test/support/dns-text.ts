import { type Answer, decode, encode, type RecordType } from "dns-packet";

/** A question as a client would send it. `edns` is the size it takes over UDP. */
export interface QuestionText {
  readonly name: string;
  readonly type: RecordType;
  readonly edns?: number;
  readonly class?: "IN" | "CH" | "ANY";
}

/** The bytes of a question, written by dns-packet. */
export function questionBytes({ name, type, edns, class: wanted = "IN" }: QuestionText, id = 4711): Buffer {
  const opt = { type: "OPT", name: ".", udpPayloadSize: edns ?? 0, flags: 0, options: [] } as const;
  const additionals = edns === undefined ? [] : [opt as unknown as Answer];
  return Buffer.from(
    encode({ type: "query", id, flags: 0x0100, questions: [{ type, name, class: wanted }], additionals }),
  );
}

/** An answer in lines that can be compared: the code and flags, then `answer NAME TTL TYPE DATA` and so on. */
export function answerText(bytes: Uint8Array): readonly string[] {
  // What dns-packet decodes beyond its types: the code's name, the flags one by one.
  const packet = decode(Buffer.from(bytes)) as ReturnType<typeof decode> & {
    readonly rcode: string;
    readonly flag_aa: boolean;
    readonly flag_tc: boolean;
    readonly flag_ra: boolean;
  };
  const flags = [packet.flag_aa && "aa", packet.flag_tc && "tc", packet.flag_ra && "ra"].filter(Boolean);
  return [
    [packet.rcode, ...flags].join(" "),
    ...lines("answer", packet.answers),
    ...lines("authority", packet.authorities),
    ...lines("additional", packet.additionals),
  ];
}

function lines(section: string, records: readonly Answer[] = []): string[] {
  return records.map((record) => {
    if (record.type === "OPT") return `${section} OPT ${record.udpPayloadSize}`;
    const { name, type, ttl } = record as { readonly name: string; readonly type: string; readonly ttl: number };
    return `${section} ${name} ${ttl} ${type} ${dataText(record)}`;
  });
}

function dataText(record: Answer): string {
  switch (record.type) {
    case "SRV": {
      const { priority, weight, port, target } = record.data;
      return `${priority} ${weight} ${port} ${target}`;
    }
    case "SOA": {
      const { mname, rname, minimum } = record.data;
      return `${mname} ${rname} ${minimum}`;
    }
    case "TXT":
      return [record.data].flat().map(String).join("|");
    default:
      return String((record as { readonly data: unknown }).data);
  }
}
