/**
 * What becomes of one ENTRANCE_SEAL_KEY: a key to encrypt with, one to make prints with, and an id to tell two settings
 * apart. Each is derived for itself (HKDF, RFC 5869), so none tells anything of another.
 */
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { SecretText } from "../model/secret-text.ts";

const salt = utf8ToBytes("entrance/seal/1");
/** Enough for two settings never to share one by accident. */
const idBytes = 8;
const printBytes = 20;

export function sealKeyId(setting: SecretText): string {
  return bytesToHex(derive(setting, "id", idBytes));
}

export class SealKey {
  readonly id: string;
  readonly #printKey: Uint8Array;
  readonly #cipherKey: ReturnType<typeof crypto.subtle.importKey>;

  constructor(setting: SecretText) {
    this.id = sealKeyId(setting);
    this.#printKey = derive(setting, "print", 32);
    const key = derive(setting, "seal", 32);
    this.#cipherKey = crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt", "decrypt"]);
  }

  print(text: string): string {
    return bytesToHex(hmac(sha256, this.#printKey, utf8ToBytes(text)).slice(0, printBytes));
  }

  async encrypt(text: string, nonce: Uint8Array<ArrayBuffer>, context: string): Promise<Uint8Array> {
    const algorithm = { name: "AES-GCM", iv: nonce, additionalData: new TextEncoder().encode(context) };
    return new Uint8Array(
      await crypto.subtle.encrypt(algorithm, await this.#cipherKey, new TextEncoder().encode(text)),
    );
  }

  /** Throws for what was changed, or encrypted for another context. */
  async decrypt(bytes: Uint8Array<ArrayBuffer>, nonce: Uint8Array<ArrayBuffer>, context: string): Promise<string> {
    const algorithm = { name: "AES-GCM", iv: nonce, additionalData: new TextEncoder().encode(context) };
    return new TextDecoder().decode(await crypto.subtle.decrypt(algorithm, await this.#cipherKey, bytes));
  }
}

function derive(setting: SecretText, purpose: string, bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hkdf(sha256, utf8ToBytes(setting.reveal()), salt, utf8ToBytes(purpose), bytes));
}
