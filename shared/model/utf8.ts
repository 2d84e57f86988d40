/** How long a text is on the wire and in a store, where UTF-8 bytes count and not code units. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index += 1) {
    const point = text.codePointAt(index) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    // Two code units.
    if (point >= 0x10000) index += 1;
  }
  return bytes;
}
