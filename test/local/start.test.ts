/** `npm start` whole: it serves, survives the death of each process, and leaves nothing behind. */
import { existsSync, rmSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { membersOf, processOf } from "../../infra/local/process-table.ts";
import { commandLine, Installation, until } from "./installation.ts";

let here: Installation;

beforeEach(async () => {
  here = await Installation.make();
});

afterEach(() => here.remove());

const serves = (host: string) => async () => (await here.ask(host)).startsWith("200");

test("it serves both samples, follows a change, and Ctrl-C leaves no process", async () => {
  const started = await here.start();
  expect(started.output).toContain("Entrance is running");
  expect(await here.ask("shop.localhost")).toContain("200 shop 1.0: GET / at shop.localhost");
  expect(await here.ask("blog.localhost")).toContain("blog 1.0");

  const blog = "infra/local/samples/blog.yaml";
  const deleted = await here.run("infra/local/apply.ts", ["--delete", blog]);
  expect(deleted).toMatchObject({ code: 0, output: expect.stringContaining("Ingress blog/web deleted") });
  await until(async () => (await here.ask("blog.localhost")).startsWith("404"), "the blog is gone");

  const { groups } = here;
  expect(groups).toHaveLength(4);
  expect(await started.stop("SIGINT")).toBe(0);
  expect(groups.flatMap(membersOf)).toEqual([]);
  expect(existsSync(path.join(here.data, "run.json"))).toBe(false);
});

test("a second start says that there is one already", async () => {
  const started = await here.start("--empty");
  const second = await here.run("infra/local/start.ts", ["--empty"]);
  expect(second.code).toBe(1);
  expect(second.output).toContain(`Entrance already runs here (process ${here.supervisor}, ${here.url})`);
  await started.stop("SIGTERM");
});

test("each process that is killed comes back, and what it served with it", async () => {
  const started = await here.start();
  const kill = (name: string, is: RegExp) => {
    const pid = here.pids(name).find((each) => is.test(commandLine(each)));
    if (pid === undefined) throw new Error(`no process ${is} in ${name}`);
    process.kill(pid, "SIGKILL");
    return pid;
  };

  for (const [name, is] of [
    ["node", /master process/],
    ["node", /worker process/],
    ["shop", /shop\.ts/],
  ] as const) {
    const pid = kill(name, is);
    await until(() => processOf(pid) === undefined, `${pid} is gone`);
    await until(serves("shop.localhost"), `shop is served after ${is} was killed`);
  }
  for (const is of [/worker-host\.ts/, /workerd serve/]) {
    kill("entrance", is);
    await until(async () => (await fetch(`${here.url}/readyz`).catch(() => undefined))?.status !== 200, "it is down");
    await until(async () => (await fetch(`${here.url}/readyz`).catch(() => undefined))?.status === 200, "it is back");
    expect(await here.ask("shop.localhost")).toContain("200 shop");
  }

  const { groups } = here;
  await started.stop();
  expect(groups.flatMap(membersOf)).toEqual([]);
});

test("after a kill -9 of the supervisor the next start takes over", async () => {
  const started = await here.start("--empty");
  const { groups, supervisor } = here;
  process.kill(supervisor, "SIGKILL");
  await started.ended;
  expect(groups.flatMap(membersOf).length).toBeGreaterThan(0);

  const next = await here.start("--empty");
  expect(next.output).toContain("ended what an earlier start had left running: node, entrance");
  expect(next.output).toContain("Entrance is running");
  expect(groups.flatMap(membersOf)).toEqual([]);
  await next.stop();
});

test("what was started ends when the process that a terminal knows is killed", async () => {
  const started = await here.start("--empty");
  const { groups } = here;
  started.child.kill("SIGKILL");
  await until(() => groups.flatMap(membersOf).length === 0, "nothing runs");
});

test("npm that is told to end leaves nothing either", async () => {
  const started = await here.startByNpm("--empty");
  const { groups, supervisor } = here;
  started.child.kill("SIGTERM");
  await until(() => [...groups, supervisor].flatMap(membersOf).length === 0, "nothing runs");
});

test("a port in use is named with who has it and what to change", async () => {
  const first = await here.start("--empty");
  const other = await Installation.make();
  other.env["ENTRANCE_NODE_HTTP_PORT"] = here.env["ENTRANCE_NODE_HTTP_PORT"] ?? "";
  const { code, output } = await other.run("infra/local/start.ts", ["--empty"]);
  expect(code).toBe(1);
  expect(output).toMatch(/Port \d+ is in use by nginx \(process \d+\)\. Set ENTRANCE_NODE_HTTP_PORT to another one\./);
  await other.remove();
  await first.stop();
});

test("deleting the folder starts afresh", async () => {
  const first = await here.start();
  await first.stop();
  rmSync(here.data, { recursive: true });
  const second = await here.start("--empty");
  expect(second.output).toContain("Entrance is running");
  expect(await here.ask("shop.localhost")).toMatch(/^404/);
  await second.stop();
});

test("a setting that Entrance cannot use is told at once, and nothing is left running", async () => {
  here.env["ENTRANCE_BALANCERS"] = "[{]";
  const { code, output } = await here.run("infra/local/start.ts", ["--empty"]);
  expect(code).toBe(1);
  expect(output).toMatch(/^ENTRANCE_BALANCERS must be JSON/m);
  expect(here.groups).toEqual([]);
});

test("where a token is set, apply must have it", async () => {
  here.env["ENTRANCE_WEBHOOK_TOKEN"] = "a-token-for-this-test";
  const started = await here.start();
  expect(started.output).toContain("Entrance is running");
  const shop = "infra/local/samples/shop.yaml";
  expect(await here.run("infra/local/apply.ts", ["--dry-run", shop])).toMatchObject({ code: 0 });
  delete here.env["ENTRANCE_WEBHOOK_TOKEN"];
  const { code, output } = await here.run("infra/local/apply.ts", ["--dry-run", shop]);
  expect(code).toBe(1);
  expect(output).toContain("Entrance wants a token: set ENTRANCE_WEBHOOK_TOKEN");
});
