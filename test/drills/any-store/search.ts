/** Searches for private keys in whatever form they may have come to lie somewhere. */
import { createPrivateKey } from "node:crypto";
import { closeSync, existsSync, openSync, readSync } from "node:fs";

export interface Needle {
  /** For people: never the needle itself. */
  readonly form: string;
  readonly bytes: Buffer;
}

/** Of an EC key: its scalar alone, and the texts that it stands in. */
export function needlesOf(pem: string): Needle[] {
  const lines = pem.split("\n").filter((line) => line !== "" && !line.startsWith("-----"));
  const encoded = lines.join("");
  const der = Buffer.from(encoded, "base64");
  const scalar = Buffer.from(createPrivateKey(pem).export({ format: "jwk" }).d ?? "", "base64url");
  const place = der.indexOf(scalar);
  if (scalar.length < 32 || place < 0) throw new Error("no EC key in PKCS #8");
  // The lines of PEM that have some of it: what else stands in them is in the certificate as well, or in every key.
  const first = Math.floor(((place / 3) * 4) / 64);
  const needles = [
    ...lines.slice(first, first + 2).map((line) => textNeedle("PEM", line)),
    ...lines.slice(first, first + 2).flatMap((line) => base64Of("base64 of the PEM", Buffer.from(line))),
    textNeedle("DER in base64", encoded.slice(Math.ceil((place * 4) / 3), Math.floor(((place + 32) * 4) / 3))),
    ...base64Of("the scalar in base64", scalar),
    textNeedle("the scalar in base64url", scalar.toString("base64url")),
    textNeedle("hex", scalar.toString("hex")),
    textNeedle("capital hex", scalar.toString("hex").toUpperCase()),
    { form: "bytes", bytes: scalar },
  ];
  return needles;
}

/** Texts that have the key in all forms of {@link needlesOf} but bytes. */
export function plantedTexts(pem: string): string[] {
  const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\n/g, ""), "base64");
  const shifted = (bytes: Buffer) =>
    [0, 1, 2].map((before) => Buffer.concat([Buffer.alloc(before), bytes]).toString("base64"));
  const hex = der.toString("hex");
  const scalar = String(createPrivateKey(pem).export({ format: "jwk" }).d);
  return [pem, hex, hex.toUpperCase(), scalar, ...shifted(Buffer.from(pem)), ...shifted(der)];
}

function textNeedle(form: string, text: string): Needle {
  return { form, bytes: Buffer.from(text) };
}

/** Wherever in a longer text it begins; without the characters that it shares with its neighbours. */
function base64Of(form: string, bytes: Buffer): Needle[] {
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    return textNeedle(form, encoded.slice(before === 0 ? 0 : 4, -4));
  });
}

const pieceBytes = 4 * 1024 * 1024;

/** The forms that are in this file; one that is gone by now, as a store's journal, has none. */
export function foundInFile(file: string, needles: readonly Needle[]): string[] {
  if (!existsSync(file)) return [];
  const overlap = Math.max(...needles.map(({ bytes }) => bytes.length));
  const found = new Set<string>();
  const descriptor = openSync(file, "r");
  try {
    const piece = Buffer.alloc(pieceBytes + overlap);
    for (let at = 0; ; at += pieceBytes) {
      const read = readSync(descriptor, piece, 0, piece.length, at);
      for (const form of foundIn(piece.subarray(0, read), needles)) found.add(form);
      if (read < piece.length) return [...found];
    }
  } finally {
    closeSync(descriptor);
  }
}

export function foundIn(text: string | Buffer, needles: readonly Needle[]): string[] {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  return [...new Set(needles.filter((needle) => bytes.includes(needle.bytes)).map(({ form }) => form))];
}
