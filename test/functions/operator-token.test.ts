/** Who opens what, where operators have a token of their own. */
import { expect, test } from "vitest";
import { readConfig } from "../../functions/config.ts";
import { operatorToken } from "../../infra/kubernetes/operator-token.ts";
import { doorBodies } from "../harness/door-bodies.ts";
import { newTestDoors, type TestDoors } from "../harness/doors.ts";

const webhook = "a-token-of-the-webhooks";
const operator = "a-token-of-the-operators";
const open = "0.0.0.0:8443";

const webhooks = ["/admission", "/audit"];
const orders = ["/resync", "/store"];
const views = ["/status", "/metrics", "/"];

/** Those of all paths that this token opens. */
async function opened(doors: TestDoors, token: string | undefined): Promise<string[]> {
  const found: string[] = [];
  for (const path of [...webhooks, ...orders, ...views]) {
    const headers = {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const body = doorBodies[path];
    const init = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
    const { status } = await doors.app.request(path, init);
    await doors.host.settled();
    if (status !== 401) found.push(path);
  }
  return found;
}

test("each opens its own, and nothing of the other's", async () => {
  const tokens = { ENTRANCE_WEBHOOK_TOKEN: webhook, ENTRANCE_OPERATOR_TOKEN: `${operator},the-old-one-of-theirs` };
  const doors = newTestDoors({ ENTRANCE_LISTEN: open, ...tokens });
  expect(await opened(doors, webhook)).toEqual(webhooks);
  expect(await opened(doors, operator)).toEqual([...orders, ...views]);
  expect(await opened(doors, "the-old-one-of-theirs")).toEqual([...orders, ...views]);
  expect(await opened(doors, undefined)).toEqual([]);
  const inPath = async (token: string) => {
    const body = JSON.stringify(doorBodies["/admission"]);
    return (await doors.app.request(`/admission/${token}`, { method: "POST", body })).status;
  };
  expect([await inPath(webhook), await inPath(operator)]).toEqual([200, 401]);

  const here = newTestDoors(tokens);
  expect(await opened(here, webhook)).toEqual([...webhooks, ...views]);
  expect(await opened(here, undefined)).toEqual(views);
});

test("without one the webhooks' opens all, as before there was one", async () => {
  const doors = newTestDoors({ ENTRANCE_LISTEN: open, ENTRANCE_WEBHOOK_TOKEN: webhook, ENTRANCE_OPERATOR_TOKEN: "" });
  expect(await opened(doors, webhook)).toEqual([...webhooks, ...orders, ...views]);
  expect(await opened(doors, undefined)).toEqual([]);
});

test("it is needed nowhere, does not stand in for the webhooks', and is another one", () => {
  expect(() => readConfig({ ENTRANCE_LISTEN: open, ENTRANCE_OPERATOR_TOKEN: operator })).toThrow(
    "ENTRANCE_WEBHOOK_TOKEN is needed",
  );
  const same = { ENTRANCE_WEBHOOK_TOKEN: `${operator},${webhook}`, ENTRANCE_OPERATOR_TOKEN: webhook };
  expect(() => readConfig(same)).toThrow(/^ENTRANCE_OPERATOR_TOKEN has a token of ENTRANCE_WEBHOOK_TOKEN/);
});

test.each([
  [{}, ""],
  [{ ENTRANCE_WEBHOOK_TOKEN: "new,old" }, "new"],
  [{ ENTRANCE_WEBHOOK_TOKEN: "new,old", ENTRANCE_OPERATOR_TOKEN: "" }, "new"],
  [{ ENTRANCE_WEBHOOK_TOKEN: "new,old", ENTRANCE_OPERATOR_TOKEN: "theirs , before" }, "theirs"],
])("a pod with %j shows %j to a copy", (environment, token) => {
  expect(operatorToken(environment)).toBe(token);
});
