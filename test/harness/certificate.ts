/** Certificates for tests, made by openssl: self-signed, for one day unless times are given. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Pair {
  readonly chain: string;
  readonly key: string;
}

export interface CertificateParts {
  /** What openssl calls the key's kind. */
  readonly key?: "rsa:2048" | "rsa:1024" | "ec:P-256" | "ec:P-384" | "ed25519";
  /** Until when, as YYYYMMDDHHMMSSZ. */
  readonly until?: string;
}

/** openssl ca alone takes times. */
const AUTHORITY = `[ca]
default_ca = own
[own]
database = index
new_certs_dir = .
rand_serial = yes
policy = any
copy_extensions = copy
[any]
commonName = supplied
`;

function keyOptions(kind: NonNullable<CertificateParts["key"]>): string[] {
  const [algorithm = "", size = ""] = kind.split(":");
  if (algorithm === "rsa") return ["-newkey", `rsa:${size}`];
  return algorithm === "ec" ? ["-newkey", "ec", "-pkeyopt", `ec_paramgen_curve:${size}`] : ["-newkey", algorithm];
}

/** A certificate of these names and its key. The first name is the subject's, too. */
export function makeCertificate(names: readonly string[], parts: CertificateParts = {}): Pair {
  const directory = mkdtempSync(join(tmpdir(), "entrance-certificate-"));
  const openssl = (...args: readonly string[]) =>
    execFileSync("openssl", args, { cwd: directory, stdio: ["ignore", "ignore", "pipe"] });
  const subject = `/CN=${names[0] ?? ""}`;
  const alternatives = `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`;
  const request = ["req", ...keyOptions(parts.key ?? "ec:P-256"), "-nodes", "-keyout", "key.pem"];
  const named = ["-subj", subject, "-addext", alternatives];
  try {
    if (parts.until === undefined) {
      openssl(...request, ...named, "-x509", "-days", "1", "-out", "chain.pem");
    } else {
      writeFileSync(join(directory, "ca.conf"), AUTHORITY);
      writeFileSync(join(directory, "index"), "");
      openssl(...request, ...named, "-new", "-out", "request.pem");
      const how = ["-config", "ca.conf", "-batch", "-selfsign", "-notext", "-md", "sha256"];
      const times = ["-startdate", "20200101000000Z", "-enddate", parts.until];
      openssl("ca", ...how, ...times, "-keyfile", "key.pem", "-in", "request.pem", "-out", "chain.pem");
    }
    const read = (name: string): string => readFileSync(join(directory, name), "utf8");
    return { chain: read("chain.pem"), key: read("key.pem") };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
