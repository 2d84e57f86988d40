/** The values of a Secret's `data`: base64 (RFC 4648, section 4), strictly, of text in UTF-8. (The pure rooms have no decoders.) */

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const form = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Undefined: it is no base64, or no text. */
export function decodeBase64(text: string): string | undefined {
  if (!form.test(text)) return undefined;
  const escaped: string[] = [];
  let bits = 0;
  let count = 0;
  for (const digit of text) {
    if (digit === "=") break;
    bits = (bits << 6) | alphabet.indexOf(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    escaped.push(`%${((bits >> count) & 0xff).toString(16).padStart(2, "0")}`);
    bits &= (1 << count) - 1;
  }
  try {
    return decodeURIComponent(escaped.join(""));
  } catch {
    return undefined;
  }
}
