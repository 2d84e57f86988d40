/** How the API is reached: what an entry hands in, since TLS and files are its platform's. */
import type { SecretText } from "../model/secret-text.ts";

export interface Access {
  /** `https://HOST:PORT`, perhaps with a path, as behind Rancher; no slash at its end. */
  readonly url: string;
  /** It trusts whom the cluster's certificate is signed by, and presents the client's certificate if there is one. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Asked before every request, since tokens are changed while they are in use. `isRefused`: the last one was. */
  readonly token: (isRefused: boolean) => Promise<SecretText | undefined>;
  readonly wait: (ms: number) => Promise<void>;
}
