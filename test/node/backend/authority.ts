// Authorities for tests, made by openssl, and what they sign.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pair } from "../../harness/certificate.ts";

const CONFIGURATION = `[ca]
default_ca = own
[own]
database = index
new_certs_dir = .
rand_serial = yes
policy = any
copy_extensions = copy
private_key = ca.key
certificate = ca.pem
default_md = sha256
[any]
commonName = supplied
`;
const KEY_OPTIONS = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

export class Authority {
  readonly #directory = mkdtempSync(join(tmpdir(), "entrance-authority-"));

  constructor(name: string) {
    writeFileSync(this.#path("ca.conf"), CONFIGURATION);
    const what = ["-x509", "-days", "1", "-subj", `/CN=${name}`, "-keyout", "ca.key", "-out", "ca.pem"];
    this.#openssl("req", ...KEY_OPTIONS, ...what);
  }

  get file(): string {
    return this.#path("ca.pem");
  }

  get certificate(): string {
    return readFileSync(this.file, "utf8");
  }

  /** until: YYYYMMDDHHMMSSZ. */
  sign(name: string, until = "20990101000000Z"): Pair {
    writeFileSync(this.#path("index"), "");
    const names = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
    this.#openssl("req", ...KEY_OPTIONS, ...names, "-keyout", "key.pem", "-out", "request.pem");
    const times = ["-startdate", "20200101000000Z", "-enddate", until];
    this.#openssl("ca", "-config", "ca.conf", "-batch", "-notext", ...times, "-in", "request.pem", "-out", "chain.pem");
    return { chain: readFileSync(this.#path("chain.pem"), "utf8"), key: readFileSync(this.#path("key.pem"), "utf8") };
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }

  #openssl(...args: readonly string[]): void {
    execFileSync("openssl", args, { cwd: this.#directory, stdio: ["ignore", "ignore", "pipe"] });
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
