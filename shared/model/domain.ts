/** A host name, the tenant who holds it, and its certificates. SNI comes before the path, so certificates belong here. */
import * as v from "valibot";

/** More certificates than this for one name are a mistake: RSA and ECDSA beside each other are two. */
export const maxCertificatesOfDomain = 16;

export const domainSchema = v.object({
  tenant: v.pipe(v.string(), v.minLength(1), v.maxLength(253)),
  /** Keys of Certificate resources, sorted. */
  certificates: v.pipe(v.array(v.pipe(v.string(), v.startsWith("Certificate/"))), v.maxLength(maxCertificatesOfDomain)),
  /** Key of the Pool that gets every TLS connection for this name as it is; the node then ends none of them. */
  passthrough: v.optional(v.pipe(v.string(), v.startsWith("Pool/", "must be the key of a Pool"))),
});

export type Domain = v.InferOutput<typeof domainSchema>;
