/** How TLS to the members of a pool is asked for. */
import { hostname } from "../../model/filter/hostname.ts";
import { subdomainName } from "../../model/object-name.ts";
import type { Annotations } from "../wish/annotations.ts";

export interface TlsWish {
  readonly verify?: boolean;
  readonly name?: string;
  /** The Secret of the authorities. */
  readonly ca?: string;
}

/** `backend-tls-verify`, `backend-tls-name`, `backend-tls-ca`. */
export function tlsOf(annotations: Annotations): TlsWish {
  const verify = annotations.has("backend-tls-verify") ? annotations.flag("backend-tls-verify") : undefined;
  const name = annotations.readAs("backend-tls-name", "a host name without a wildcard", hostname, (text) =>
    text.toLowerCase(),
  );
  const ca = annotations.readAs("backend-tls-ca", "a Secret of this namespace", subdomainName, (text) => text);
  const isNeedless = ca !== undefined && verify === false;
  if (isNeedless) {
    annotations.refuse(
      "backend-tls-ca",
      ca,
      'nothing is verified by it: leave out backend-tls-verify: "false", or this',
    );
  }
  return { ...(verify !== undefined && { verify }), ...(name && { name }), ...(ca && !isNeedless && { ca }) };
}

/** A name or an authority is told in order to be verified. */
export function isVerified({ verify, name, ca }: TlsWish): boolean {
  return verify ?? (name !== undefined || ca !== undefined);
}
