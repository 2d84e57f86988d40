/** Keeps Secrets without looking at them: sealed is a text that no one but this can open. */
import { sha1Hex } from "../../shared/model/canonical.ts";
import type { Sealed } from "../../shared/model/sealed.ts";
import type { SecretKeeper } from "../../shared/sealing/secret-keeper.ts";

/** In every private key of a simulation: it must turn up nowhere but on nodes. */
export const planted = "PLANTED-PRIVATE-KEY";

const times = { notBefore: "2026-01-01T00:00:00Z", notAfter: "2036-01-01T00:00:00Z" };

export const secrets: SecretKeeper = {
  async keep({ namespace, name, created, certificate, problems }) {
    const kept = { kind: "Secret", namespace, name, created, problems } as const;
    if (certificate === undefined) return kept;
    const text = certificate.key.reveal();
    const key = sealed(`Secret/${namespace}/${name}/tls.key`, text);
    return { ...kept, certificate: { chain: certificate.chain, key, names: ["h0.example"], ...times } };
  },
  reseal: async () => undefined,
};

function sealed(of: string, text: string): Sealed {
  const hidden = [...text].map((letter) => letter.charCodeAt(0).toString(16)).join("");
  return { of, print: sha1Hex(`${of} ${text}`), sealed: `key.nonce.${hidden}` };
}

export async function open(secret: Sealed): Promise<string | undefined> {
  const hidden = secret.sealed.split(".")[2] ?? "";
  return hidden.replace(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16)));
}
