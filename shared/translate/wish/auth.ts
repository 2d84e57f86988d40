/** Who must sign in with name and password, by a Secret of the same namespace. */
import { authRealm } from "../../model/filter/basic-auth.ts";
import { subdomainName } from "../../model/object-name.ts";
import type { Annotations } from "./annotations.ts";

export interface AuthWish {
  readonly secret: string;
  readonly realm?: string;
}

/** `auth-secret`, `auth-realm`. */
export function authOf(annotations: Annotations): AuthWish | undefined {
  annotations.needs("auth-realm", "auth-secret");
  const secret = annotations.readAs("auth-secret", "the name of a Secret of this namespace", subdomainName, asIs);
  const realm = annotations.readAs("auth-realm", "a text without quotes", authRealm, asIs);
  return secret === undefined ? undefined : { secret, ...(realm === undefined ? {} : { realm }) };
}

function asIs(text: string): string {
  return text;
}
