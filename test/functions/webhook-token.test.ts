/** The webhooks' token where Entrance writes it into their configurations: what the Kubernetes API takes there, or told. */
import { expect, test } from "vitest";
import { readConfig } from "../../functions/config.ts";
import { introduce } from "../../functions/serving/webhooks.ts";
import { KubernetesObjects } from "../../shared/kubernetes/objects.ts";
import { SecretText } from "../../shared/model/secret-text.ts";
import { pathTokens } from "../harness/path-tokens.ts";

const webhooks = "entrance,entrance-endpointslices";
const read =
  (token: string, names = webhooks) =>
  () =>
    readConfig({ ENTRANCE_WEBHOOKS: names, ENTRANCE_WEBHOOK_TOKEN: token });

test.each([
  ...pathTokens.taken,
  // The first is the one that is written.
  `a-token-of-the-tests,${"The/Old+One="}${"x".repeat(10)}`,
])("%j is taken", (token) => {
  expect(read(token)().webhookConfigurations).toEqual(webhooks.split(","));
});

test.each(pathTokens.refused)("%j is told of by the setting's name, and is fine where nobody writes it", (token) => {
  expect(read(token)).toThrow(/^ENTRANCE_WEBHOOK_TOKEN .*ENTRANCE_WEBHOOKS.*openssl rand -hex 24$/);
  expect(read(token)).not.toThrow(token);
  expect(read(`${token},a-token-of-the-tests`)).toThrow(/^ENTRANCE_WEBHOOK_TOKEN /);
  expect(read(token, "")().webhookConfigurations).toEqual([]);
});

test("an API that does not take what is written is not quoted: its words hold the token", async () => {
  const token = "a-token-of-the-tests";
  const clientConfig = { service: { name: "entrance", namespace: "entrance" } };
  const message = `webhooks[0].clientConfig.service.path: Invalid value: "/admission/${token}": segment[1]: no`;
  for (const status of [400, 422]) {
    const objects = new KubernetesObjects({
      url: "http://localhost",
      fetch: async (_, init) =>
        init?.method === "PATCH"
          ? Response.json({ kind: "Status", reason: "Invalid", message }, { status })
          : Response.json({ webhooks: [{ name: "objects.entrance.dev", clientConfig }] }),
      token: async () => undefined,
      wait: async () => undefined,
    });
    const introduced = introduce(objects, "entrance", new SecretText(token), "authorities");
    await expect(introduced).rejects.toMatchObject({
      code: "misconfigured",
      message: expect.stringMatching(
        /^cannot patch ValidatingWebhookConfiguration entrance: the Kubernetes API does not take its path with ENTRANCE_WEBHOOK_TOKEN, or its caBundle$/,
      ),
    });
  }
});
