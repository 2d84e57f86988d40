/** Blocks of a PEM file (RFC 7468): what stands between them is for people and is left out. */

const block = /-----BEGIN ([A-Z0-9 ]{1,64})-----[A-Za-z0-9+/=\s:,-]*?-----END \1-----/g;

export interface PemBlock {
  /** `CERTIFICATE`, `EC PRIVATE KEY`, … */
  readonly label: string;
  readonly text: string;
}

export function pemBlocks(text: string): PemBlock[] {
  return [...text.replaceAll("\r\n", "\n").matchAll(block)].map(([whole, label = ""]) => ({ label, text: whole }));
}
