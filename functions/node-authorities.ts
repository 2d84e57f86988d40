/** Who signs for nodes whose URLs are https, beside those whom the system trusts. */
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import type { Pem } from "./pem.ts";
import { failSetting } from "./setting.ts";
import { readPem } from "./setting-file.ts";

/** fetch() asks nobody but the process whom to trust. Returns their text, for connections that name whom they trust. */
export function trustNodeAuthorities(pem: Pem | undefined): string | undefined {
  if (pem === undefined) return undefined;
  const text = readPem("ENTRANCE_NODE_CA", pem);
  try {
    setDefaultCACertificates([...getCACertificates("default"), text]);
  } catch {
    failSetting("ENTRANCE_NODE_CA", "must be PEM certificates that can be read, or name a file of them");
  }
  return text;
}
