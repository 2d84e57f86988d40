/** What a token in a path may be says the Kubernetes API: the setting's check takes the same, and nothing else. */
import { expect, inject, test } from "vitest";
import { readConfig } from "../../functions/config.ts";
import { pathTokens } from "../harness/path-tokens.ts";
import { Api } from "./api.ts";
import { adminToken } from "./control-plane.ts";

const facts = inject("field");
const api = new Api(facts.url, facts.caFile, adminToken);

async function isTakenByApi(token: string): Promise<boolean> {
  const service = { name: "entrance", namespace: "entrance", path: `/admission/${encodeURIComponent(token)}` };
  const { status } = await api.ask(
    "POST",
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations?dryRun=All",
    {
      metadata: { name: "with-a-token" },
      webhooks: [
        {
          name: "objects.token.example",
          clientConfig: { service },
          sideEffects: "None",
          admissionReviewVersions: ["v1"],
        },
      ],
    },
  );
  expect([201, 422]).toContain(status);
  return status === 201;
}

function isTakenBySetting(token: string): boolean {
  try {
    readConfig({ ENTRANCE_WEBHOOKS: "entrance", ENTRANCE_WEBHOOK_TOKEN: token });
    return true;
  } catch {
    return false;
  }
}

test("a token is taken by the setting exactly where it is in the path of a webhook", async () => {
  const { taken, refused } = pathTokens;
  const told = await Promise.all(
    [...taken, ...refused].map(async (token) => [token, await isTakenByApi(token), isTakenBySetting(token)]),
  );
  expect(told).toEqual([
    ...taken.map((token) => [token, true, true]),
    ...refused.map((token) => [token, false, false]),
  ]);
});
