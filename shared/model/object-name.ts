/** Names of Kubernetes objects, by RFC 1123 as the apiserver checks them. A name becomes part of keys, so it is checked. */
import * as v from "valibot";

/** Services and Namespaces are DNS labels. */
export const labelName = v.pipe(
  v.string("must be a text"),
  v.maxLength(63, "must have at most 63 characters"),
  v.regex(
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
    "must consist of lower-case letters, digits and inner hyphens (RFC 1123 label)",
  ),
);

/** All others are DNS subdomains; the apiserver limits them as a whole, not label by label. */
export const subdomainName = v.pipe(
  v.string("must be a text"),
  v.maxLength(253, "must have at most 253 characters"),
  v.regex(
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    "must consist of lower-case letters, digits, inner hyphens and inner dots (RFC 1123 subdomain)",
  ),
);
