/** The doors in this process: the app as an entry assembles it, with a test's store, clock and nodes. */
import type { Hono } from "hono";
import { createApp } from "../../functions/app.ts";
import { type Config, type Environment, readConfig } from "../../functions/config.ts";
import { newTestEntrance, type TestEntrance, usualTranslation } from "./entrance.ts";
import { testSecrets } from "./secrets.ts";

export interface TestDoors extends TestEntrance {
  readonly app: Hono;
  readonly config: Config;
}

export function newTestDoors(
  environment: Environment = {},
  options: Parameters<typeof newTestEntrance>[0] = {},
): TestDoors {
  const config = readConfig(environment);
  const { keeper, ids } = testSecrets(...config.sealKeys.map((key) => key.reveal()));
  const translation = { ...usualTranslation, ...options.translation, sealKeys: ids };
  const test = newTestEntrance({ secrets: keeper, ...options, translation });
  const app = createApp({ entrance: test.entrance, config, counters: test.counters });
  return Object.assign(test, { app, config });
}

/** Posts JSON as an apiserver does, and waits for all that it sets off. */
export async function post(test: TestDoors, path: string, body: unknown): Promise<Response> {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await test.app.request(path, init);
  await test.host.settled();
  return response;
}
