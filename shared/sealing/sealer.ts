/** Seals and opens secrets with the keys of ENTRANCE_SEAL_KEY: the first seals, all of them open. */
import { type Sealed, sealKeyOf } from "../model/sealed.ts";
import type { SecretText } from "../model/secret-text.ts";
import { SealKey } from "./seal-key.ts";

/** 96 random bits, AES-GCM's own size: 2^32 secrets under one key before a repetition is thinkable (NIST SP 800-38D). */
const nonceBytes = 12;

export class Sealer {
  readonly #first: SealKey | undefined;
  readonly #keys: ReadonlyMap<string, SealKey>;

  constructor(settings: readonly SecretText[]) {
    const keys = settings.map((setting) => new SealKey(setting));
    this.#first = keys[0];
    this.#keys = new Map(keys.map((key) => [key.id, key]));
  }

  get canSeal(): boolean {
    return this.#first !== undefined;
  }

  /**
   * Undefined: there is no key to seal with. `printed` is what the print is made of where that is not the secret itself:
   * a password, of which a new hash is made each time.
   */
  async seal(of: string, text: string, printed = text): Promise<Sealed | undefined> {
    const key = this.#first;
    return key === undefined ? undefined : encrypted(key, of, text, key.print(`${of}\n${printed}`));
  }

  /** Undefined: it was sealed with another key, for another place, or changed since. */
  async open(secret: Sealed): Promise<string | undefined> {
    const [id = "", nonce = "", bytes = ""] = secret.sealed.split(".");
    try {
      return await this.#keys.get(id)?.decrypt(fromBase64(bytes), fromBase64(nonce), contextOf(secret));
    } catch {
      return undefined;
    }
  }

  /** The same, with its print, sealed with the first key; undefined: it is already, or cannot be opened. */
  async reseal(secret: Sealed): Promise<Sealed | undefined> {
    if (this.#first === undefined || sealKeyOf(secret) === this.#first.id) return undefined;
    const text = await this.open(secret);
    return text === undefined ? undefined : encrypted(this.#first, secret.of, text, secret.print);
  }
}

async function encrypted(key: SealKey, of: string, text: string, print: string): Promise<Sealed> {
  const nonce = crypto.getRandomValues(new Uint8Array(nonceBytes));
  const bytes = await key.encrypt(text, nonce, contextOf({ of, print }));
  return { of, print, sealed: `${key.id}.${toBase64(nonce)}.${toBase64(bytes)}` };
}

/** The additional data: neither the place nor the print can be changed without the key. */
function contextOf({ of, print }: Pick<Sealed, "of" | "print">): string {
  return `${of}\n${print}`;
}

function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
