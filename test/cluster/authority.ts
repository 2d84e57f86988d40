/** Certificates of the cluster's own, made by openssl. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

export interface Issued {
  readonly certificate: string;
  readonly key: string;
}

export interface IssuedParts {
  /** What openssl calls what it is for. */
  readonly usage?: string;
  /** A negative number: it has expired. */
  readonly days?: number;
}

export class Authority {
  readonly #folder: string;
  #issued = 0;

  constructor(folder: string, name: string) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key"];
    this.#openssl("req", "-x509", ...key, "-subj", `/CN=${name}`, "-days", "2", "-out", "ca.crt");
  }

  get file(): string {
    return path.join(this.#folder, "ca.crt");
  }

  pem(): string {
    return readFileSync(this.file, "utf8");
  }

  /** Files of a certificate and its key. `names`: DNS names and addresses; `subject`: `/O=system:masters/CN=admin`. */
  issue(subject: string, names: readonly string[] = [], parts: IssuedParts = {}): Issued {
    const { usage = "serverAuth,clientAuth", days = 2 } = parts;
    this.#issued += 1;
    const name = `issued-${this.#issued}`;
    const alternatives = names.map((each) => (/^[0-9.]+$/.test(each) ? `IP:${each}` : `DNS:${each}`));
    writeFileSync(
      path.join(this.#folder, `${name}.ext`),
      [
        "keyUsage=digitalSignature",
        `extendedKeyUsage=${usage}`,
        ...(alternatives.length === 0 ? [] : [`subjectAltName=${alternatives.join(",")}`]),
      ].join("\n"),
    );
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", `${name}.key`];
    this.#openssl("req", ...key, "-subj", subject, "-out", `${name}.csr`);
    const signing = [
      "-CA",
      "ca.crt",
      "-CAkey",
      "ca.key",
      "-CAcreateserial",
      "-days",
      String(days),
      "-extfile",
      `${name}.ext`,
    ];
    this.#openssl("x509", "-req", "-in", `${name}.csr`, ...signing, "-out", `${name}.crt`);
    return { certificate: path.join(this.#folder, `${name}.crt`), key: path.join(this.#folder, `${name}.key`) };
  }

  #openssl(...args: readonly string[]): void {
    execFileSync("openssl", args, { cwd: this.#folder, stdio: ["ignore", "ignore", "pipe"] });
  }
}
