/**
 * What every host of Entrance must answer at its doors, whatever comes. A host's own test starts it and runs these:
 * bad input is told by its door, changes nothing, and holds up nothing else.
 */
import { afterAll, beforeAll, describe } from "vitest";
import { Caller, type RunningHost } from "./caller.ts";
import { bodyCases } from "./cases/bodies.ts";
import { objectCases } from "./cases/objects.ts";
import { secrecyCases } from "./cases/secrecy.ts";
import { secretCases } from "./cases/secrets.ts";
import { tokenCases, tokens } from "./cases/tokens.ts";
import { viewCases } from "./cases/views.ts";

export interface HostUnderTest {
  readonly name: string;
  readonly start: (environment: Readonly<Record<string, string>>) => Promise<RunningHost>;
}

type Cases = (caller: () => Caller) => void;

export function runDoorCases(host: HostUnderTest): void {
  group(`${host.name}: doors`, host, {}, [bodyCases, objectCases, secrecyCases, viewCases]);
  group(`${host.name}: doors with a seal key`, host, { ENTRANCE_SEAL_KEY: "a-seal-key-of-the-tests" }, [secretCases]);
  group(`${host.name}: doors with a token`, host, { ENTRANCE_WEBHOOK_TOKEN: tokens }, [tokenCases]);
}

function group(
  title: string,
  host: HostUnderTest,
  environment: Readonly<Record<string, string>>,
  groups: readonly Cases[],
): void {
  describe(title, () => {
    let running: RunningHost;
    let caller: Caller;
    beforeAll(async () => {
      running = await host.start(environment);
      caller = new Caller(running);
    });
    afterAll(async () => {
      await running?.stop();
    });
    for (const cases of groups) cases(() => caller);
  });
}
