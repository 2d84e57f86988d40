/** The doors on Lambda, with a table of DynamoDB Local and a real node: the bundle in sandboxes that stand still. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Status } from "../../functions/status.ts";
import { DynamoDBLocal, localKeys } from "../harness/dynamodb.ts";
import { Lambda } from "../harness/lambda.ts";
import { type EventShape, eventOf, type LambdaAnswer, responseOf } from "../harness/lambda-events.ts";
import { KEY, request, startNode, type TestNode } from "../harness/node.ts";
import { event, eventList } from "../observe/wire.ts";
import { Caller, type RunningHost } from "./caller.ts";
import { runDoorCases } from "./cases.ts";

const token = "a-token-of-the-tests";
let dynamoDb: DynamoDBLocal;
beforeAll(async () => {
  dynamoDb = await DynamoDBLocal.start();
});
afterAll(() => dynamoDb.stop());

interface LambdaUnderTest extends RunningHost {
  readonly lambda: Lambda;
  readonly node: TestNode;
}

async function start(
  environment: Readonly<Record<string, string>>,
  shape: EventShape = "url",
): Promise<LambdaUnderTest> {
  const table = randomUUID();
  const [node] = await Promise.all([startNode(), dynamoDb.createTable(table)]);
  const lambda = await Lambda.start({
    ENTRANCE_STORE: "dynamodb",
    ENTRANCE_DYNAMODB_TABLE: table,
    ENTRANCE_DYNAMODB_ENDPOINT: dynamoDb.endpoint,
    ENTRANCE_BALANCERS: JSON.stringify([{ name: "openresty", nodes: [`http://127.0.0.1:${node.ports.admin}`] }]),
    ENTRANCE_NODE_KEY: KEY,
    ENTRANCE_WEBHOOK_TOKEN: token,
    ...localKeys,
    ...environment,
  });
  lambda.schedule();
  return {
    lambda,
    node,
    isOpen: true,
    fetch: async (path, init = {}) => {
      const body = init.body == null ? undefined : await new Response(init.body).text();
      // Where the token is not what a test is about, it is there.
      const authorized =
        environment["ENTRANCE_WEBHOOK_TOKEN"] === undefined ? { authorization: `Bearer ${token}` } : {};
      const headers = { ...authorized, ...Object.fromEntries(new Headers(init.headers)) };
      return responseOf(
        (await lambda.invoke(eventOf(shape, path, { ...init, headers, body: body ?? null }))) as LambdaAnswer,
      );
    },
    stored: () => dynamoDb.stored(table),
    printed: () => lambda.log,
    stop: async () => {
      await lambda.stop();
      await node.stop();
    },
  };
}

runDoorCases({ name: "Lambda", start });

describe("events", () => {
  let running: LambdaUnderTest;
  beforeAll(async () => {
    running = await start({});
  });
  afterAll(() => running.stop());

  test.each<EventShape>(["url", "api-v1", "alb", "alb-multi-value"])("requests of %s", async (shape) => {
    const ask = async (path: string, init: RequestInit = {}) =>
      responseOf((await running.lambda.invoke(eventOf(shape, path, init))) as LambdaAnswer);
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    expect(await (await ask("/healthz")).text()).toBe("ok\n");
    expect((await ask("/status")).status).toBe(401);
    expect((await ask("/nowhere?a=b")).status).toBe(404);
    const page = await ask("/status?limit=1&after=a", { headers });
    expect(page.headers.get("content-type")).toMatch(/^application\/json/);
    expect(((await page.json()) as Status).store).toBe("dynamodb");
    expect((await ask("/status?limit=0", { headers })).status).toBe(400);
    const caller = new Caller({ ...running, fetch: (path, init) => ask(path, { ...init, headers }) });
    // Letters of other scripts come through base64 and as they are.
    const { reviewed } = caller.asking(`by-${shape}`, { "entrance.dev/http": `${shape}.example/日本` });
    const answer = await ask(`/admission/${token}`, { method: "POST", body: JSON.stringify(reviewed) });
    expect(await answer.json()).toMatchObject({ response: { allowed: true } });
    await caller.settled();
    const { status } = await request(running.node.ports.http, encodeURI("/日本"), {
      headers: { host: `${shape}.example` },
    });
    expect(status).toBe(503);
  });

  test("what is no event of any kind is told, and harms nothing", async () => {
    for (const nonsense of [null, 1, "x", [], {}, { entrance: "turn" }, { entrance: "turn", lock: { fence: "1" } }]) {
      const outcome = await running.lambda.invoke(nonsense).then(
        (answer) => answer,
        (error: unknown) => error,
      );
      if (!(outcome instanceof Error)) expect((outcome as LambdaAnswer).statusCode).toBeGreaterThanOrEqual(400);
    }
    await new Caller(running).expectToWork("after-nonsense");
  });

  test("a turn under a lock that is another's by now changes nothing", async () => {
    const before = await new Caller(running).settled();
    await running.lambda.invoke({ entrance: "turn", lock: { fence: 1, version: "long-gone", writtenAt: 0 } });
    expect((await new Caller(running).settled()).domains).toEqual(before.domains);
  });
});

describe("what is left to do after an answer", () => {
  test("is done by an event to itself: the answer waits for no node", async () => {
    const running = await start({});
    try {
      const caller = new Caller(running);
      await caller.expectToWork("first");
      const before = running.lambda.ownInvocations;
      process.kill(-running.node.masterPid, "SIGSTOP");
      const { audited } = caller.asking("second", { "entrance.dev/http": "second.example" });
      expect(await (await caller.post("/audit", audited)).json()).toMatchObject({ changed: 1 });
      expect(running.lambda.ownInvocations).toBe(before + 1);
      // It is still trying to push while the caller has its answer.
      process.kill(-running.node.masterPid, "SIGCONT");
      expect((await caller.settled()).domains.map(({ name }) => name)).toContain("second.example");
    } finally {
      await running.stop();
    }
  });

  test("is done before the answer where the function may not invoke itself", async () => {
    const running = await start({});
    try {
      running.lambda.mayInvoke = false;
      await new Caller(running).expectToWork("alone");
      expect(running.lambda.ownInvocations).toBe(0);
      expect(running.lambda.log).toMatch(/cannot invoke itself/);
    } finally {
      await running.stop();
    }
  });

  test("is gone on with by the schedule where its sandbox was killed, in the middle or before it began", async () => {
    const running = await start({});
    try {
      await burst(running, 90_000, () => {
        running.lambda.ownDeathMs = 150;
      });
    } finally {
      await running.stop();
    }
  }, 120_000);

  test("that would take longer than there is time ends before, and an event to itself goes on at once", async () => {
    const running = await start({});
    try {
      // It goes by what it is told; a machine with too much to do may take longer for what has begun.
      let before = 0;
      await burst(running, 60_000, () => {
        running.lambda.ownTimeoutMs = 400;
        running.lambda.ownDeathMs = 30_000;
        before = running.lambda.ownInvocations;
      });
      // The burst's own, and at least one that went on.
      expect(running.lambda.ownInvocations).toBeGreaterThan(before + 1);
      expect(running.lambda.log).not.toMatch(/the sandbox has ended/);
    } finally {
      await running.stop();
    }
  }, 120_000);
});

/** 150 objects at once; all of them are served within that time, whatever befalls it from then on. */
async function burst(running: LambdaUnderTest, withinMs: number, befall: () => void): Promise<void> {
  const caller = new Caller(running);
  await caller.expectToWork("before");
  befall();
  const objects = Array.from({ length: 150 }, (_, index) =>
    caller.asking(`many-${index}`, { "entrance.dev/http": `many-${index}.example` }),
  );
  const events = objects.map(({ wire }, index) =>
    event("create", "Service", wire, { auditID: `many-${index}` }, { name: `many-${index}` }),
  );
  expect(await (await caller.post("/audit", eventList(...events))).json()).toMatchObject({ changed: 150 });
  const due = async () => {
    const answer = await caller.fetch("/status");
    // A machine with too much to do may be told to come again.
    return answer.status === 503 ? undefined : ((await answer.json()) as Status).marks.due;
  };
  // Where a sandbox died: lease and margin, 12 s, and a tick.
  await expect.poll(due, { timeout: withinMs, interval: 500 }).toBe(0);
  await caller.settled();
  const { domains } = (await (await caller.fetch("/status?limit=1000")).json()) as Status;
  expect(domains.filter(({ name }) => name.startsWith("many-"))).toHaveLength(150);
}

describe("settings", () => {
  test.each([
    [{ ENTRANCE_WEBHOOK_TOKEN: "" }, /ENTRANCE_WEBHOOK_TOKEN is needed/],
    [{ ENTRANCE_STORE: "embedded" }, /ENTRANCE_STORE must be dynamodb on Lambda/],
  ])("%o: the function says what to change, and does not start", async (environment, says) => {
    const lambda = await Lambda.start({ ENTRANCE_STORE: "dynamodb", ENTRANCE_WEBHOOK_TOKEN: token, ...environment });
    try {
      await expect(lambda.invoke(eventOf("url", "/healthz"))).rejects.toThrow(says);
    } finally {
      await lambda.stop();
    }
  });
});
