/** Certificates and keys as settings have them: a file's name, or, where no file can be laid down, the text itself. */
export type Pem = { readonly file: string } | { readonly text: string };

export function pemOf(text: string | undefined): Pem | undefined {
  if (text === undefined) return undefined;
  return text.includes("-----BEGIN ") ? { text } : { file: text };
}
