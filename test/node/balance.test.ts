// Who of a pool answers: turns and weights, members that fail, and what is left when nobody is ready.
import { createServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Backend, type Echo, startBackend } from "../harness/backend.ts";
import { freePorts } from "../harness/free-ports.ts";
import { type RequestOptions, startNode, type TestNode } from "../harness/node.ts";
import { type Member, pool, rule, slice } from "./values.ts";

let node: TestNode;
const backends = new Map<string, Backend>();
let closedPort = 0;

beforeAll(async () => {
  node = await startNode({ workers: 1 });
  for (const name of ["a", "b", "c"]) backends.set(name, await startBackend(name));
  [closedPort = 0] = await freePorts(1);
});

afterAll(async () => {
  await node?.stop();
  for (const backend of backends.values()) await backend.close();
});

function on(name: string, more: Omit<Member, "port"> = {}): Member {
  return { port: backends.get(name)?.port ?? 0, ...more };
}

let count = 0;
async function route(members: readonly Member[], settings: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const name = `pool-${count++}`;
  await node.apply([pool(name, settings), slice(name, members), rule(`${name}.example`, name, { name })]);
  return name;
}

async function ask(name: string, times: number, path = "/", options: RequestOptions = {}): Promise<string> {
  let answers = "";
  for (let index = 0; index < times; index++) {
    const { status, text } = await node.get(`${name}.example`, path, options);
    answers += status === 200 ? (JSON.parse(text) as Echo).name : ` ${status} `;
  }
  return answers;
}

function times(answers: string, name: string): number {
  return answers.split(name).length - 1;
}

describe("turns", () => {
  test("members take turns", async () => {
    const answers = await ask(await route([on("a"), on("b"), on("c")]), 9);
    expect(answers).toBe(answers.slice(0, 3).repeat(3));
    expect([...answers.slice(0, 3)].sort().join("")).toBe("abc");
  });

  test("weights are met, smoothly", async () => {
    const answers = await ask(await route([on("a", { weight: 5 }), on("b"), on("c")]), 14);
    expect([times(answers, "a"), times(answers, "b"), times(answers, "c")]).toEqual([10, 2, 2]);
    expect(answers).not.toContain("aaaaa");
  });

  test("large weights are rounded, weight 0 gets nothing", async () => {
    const members = [on("a", { weight: 999_983 }), on("b", { weight: 499_979 }), on("c", { weight: 0 })];
    const answers = await ask(await route(members), 30);
    expect(times(answers, "c")).toBe(0);
    expect(times(answers, "a")).toBe(20);
  });

  test("a member in two lists counts once, and the lists are joined", async () => {
    const name = await route([on("a"), on("b")]);
    await node.apply([slice(name, [on("a"), on("c")], "second")]);
    const answers = await ask(name, 9);
    expect([times(answers, "a"), times(answers, "b"), times(answers, "c")]).toEqual([3, 3, 3]);
    await node.apply([{ ...slice(name, []), value: null }]);
    expect(times(await ask(name, 4), "b")).toBe(0);
  });

  test("what is null counts as not said", async () => {
    const name = await route([]);
    const member = { address: "127.0.0.1", port: on("a").port, weight: null, state: null, ready: null };
    await node.apply([{ key: `Node/shop/${name}/80/${name}-a`, value: { members: [member] } }]);
    const target = { pool: `Pool/shop/${name}/80`, weight: null, filters: null };
    const change = rule("null.example", name, {
      name: "null",
      more: { pools: [target], filters: null, listeners: null },
    });
    const matches = { path: null, method: null, headers: null, query: null };
    await node.apply([{ ...change, value: { ...(change.value as object), matches } }]);
    expect(await ask("null", 2)).toBe("aa");
    await node.apply([{ ...change, value: { ...(change.value as object), matches: null } }]);
    expect(await ask("null", 2)).toBe("aa");
  });

  test("IPv6", async () => {
    await using six = await startBackend("six", 0, "::1");
    expect(await ask(await route([{ address: "::1", port: six.port }]), 1)).toBe("six");
  });
});

describe("who is left when nobody is ready", () => {
  const [ready, unready] = [{ ready: true }, { ready: false }];
  const draining = { state: "draining", ready: false } as const;
  const disabled = { state: "disabled" } as const;
  test.each<[string, Member[] | (() => Member[]), Readonly<Record<string, unknown>>, string]>([
    ["ready goes before all", () => [on("a", ready), on("b", unready), on("c", draining)], {}, "a"],
    ["unready is not asked", () => [on("b", unready)], {}, "503"],
    ["serving while terminating is", () => [on("b", unready), on("c", draining)], {}, "c"],
    ["disabled never is", () => [on("a", disabled)], { fallback: "unready" }, "503"],
    ["Rainbond's pool keeps an unready one", () => [on("b", unready), on("c", draining)], { fallback: "unready" }, "b"],
    ["but not beside a ready one", () => [on("a", ready), on("b", unready)], { fallback: "unready" }, "a"],
    ["nobody at all", [], {}, "503"],
  ])("%s", async (_, members, settings, expected) => {
    const name = await route(typeof members === "function" ? members() : members, settings);
    const answers = await ask(name, 4);
    expect(answers.replaceAll(" ", "")).toBe(expected.repeat(4));
  });

  test("a member that becomes ready is asked at once", async () => {
    const name = await route([on("a", draining)]);
    expect(await ask(name, 2)).toBe("aa");
    await node.apply([slice(name, [on("a", draining), on("b")])]);
    expect(await ask(name, 2)).toBe("bb");
  });
});

describe("members that fail", () => {
  test("one that refuses connections costs no answer, and is set aside", async () => {
    const before = node.log().split("Connection refused").length;
    const answers = await ask(await route([{ port: closedPort }, on("a"), on("b")]), 20);
    expect(times(answers, "a") + times(answers, "b")).toBe(20);
    expect(node.log().split("Connection refused").length - before).toBe(1);
  });

  test("it is asked again after a few seconds", async () => {
    const [port = 0] = await freePorts(1);
    const name = await route([{ port }, on("a")]);
    expect(await ask(name, 4)).toBe("aaaa");
    await using late = await startBackend("late", port);
    expect(await ask(name, 2)).toBe("aa");
    await expect.poll(() => ask(name, 2), { timeout: 10_000, interval: 500 }).toContain(late.name);
  });

  test("being set aside outlives a change of the pool", async () => {
    const name = await route([{ port: closedPort }, on("a")]);
    await ask(name, 4);
    const before = node.log().split("Connection refused").length;
    await node.apply([slice(name, [{ port: closedPort }, on("a"), on("b")])]);
    await ask(name, 6);
    expect(node.log().split("Connection refused").length).toBe(before);
  });

  test("all that fail: 502, and they are asked again at once when they are back", async () => {
    const [one = 0, two = 0] = await freePorts(2);
    const name = await route([{ port: one }, { port: two }]);
    expect(await ask(name, 2)).toBe(" 502  502 ");
    await using _back = await startBackend("back", two);
    expect(await ask(name, 2)).toBe("backback");
  });

  /** Takes connections and requests, and breaks off. */
  async function startBreaking(): Promise<{ port: number; broken: () => number; close: () => void }> {
    let broken = 0;
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.once("data", () => {
        broken += 1;
        socket.destroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    const close = () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    };
    return { port, broken: () => broken, close };
  }

  test.each([
    ["a GET that broke off is tried on another", "GET", "aaaa"],
    ["a POST that was sent is not", "POST", "aaa"],
  ])("%s", async (_, method, expected) => {
    const { port, broken, close } = await startBreaking();
    try {
      const answers = await ask(await route([{ port }, on("a")]), 4, "/", { method });
      expect(answers.replace(" 502 ", "")).toBe(expected);
      expect(broken()).toBe(1);
    } finally {
      close();
    }
  });

  test("a POST whose connection was refused is sent to another: nothing of it had gone out", async () => {
    const name = await route([{ port: closedPort }, on("a")]);
    expect(await ask(name, 4, "/", { method: "POST", body: "x".repeat(300_000) })).toBe("aaaa");
  });

  test("a backend that restarts on its port: kept connections that it closed cost no answer", async () => {
    const [port = 0] = await freePorts(1);
    const name = await route([{ port }]);
    const first = await startBackend("first", port);
    expect(await ask(name, 3)).toBe("firstfirstfirst");
    await first.close();
    await using _second = await startBackend("second", port);
    expect(await ask(name, 3)).toBe("secondsecondsecond");
  });
});
