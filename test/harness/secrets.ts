/** What keeps and opens Secrets in tests: a key of its own, and the real inspection. */
import { SecretText } from "../../shared/model/secret-text.ts";
import { sealKeyId } from "../../shared/sealing/seal-key.ts";
import { Sealer } from "../../shared/sealing/sealer.ts";
import { type SecretKeeper, secretKeeper } from "../../shared/sealing/secret-keeper.ts";
import { inspect } from "../../shared/sealing/x509.ts";

export interface TestSecrets {
  readonly sealer: Sealer;
  readonly keeper: SecretKeeper;
  /** As the translation's settings have them. */
  readonly ids: readonly string[];
}

/** Nothing, where no keys are given. */
export function testSecrets(...keys: readonly string[]): TestSecrets {
  const settings = keys.map((key) => new SecretText(key));
  const sealer = new Sealer(settings);
  return { sealer, keeper: secretKeeper(sealer, inspect), ids: settings.map(sealKeyId) };
}

export const sealKey = "a-seal-key-of-the-tests";
export const usualSecrets: TestSecrets = testSecrets(sealKey);
