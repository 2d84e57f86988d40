/** More than it can hold: what comes too much is told to come again, before memory grows, and nothing acknowledged is lost. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { EntranceProcess } from "../harness/entrance-process.ts";
import { type Answer, request } from "../harness/node.ts";
import { event, eventList, slice } from "../observe/wire.ts";
import { report, times } from "./field.ts";

const clients = 24;
const eventsPerBody = 300;
/** 32 MiB of bodies, each of which is text, what that says, and what is kept of it; and a process that does nothing. */
const mostMiB = 640;
const timeoutMs = 240_000;
const place = "@client@";

/** About 8 MB: slices of 250 members. */
function body(): string {
  const endpoints = Array.from({ length: 250 }, (_, index) => ({
    addresses: [`10.0.${Math.floor(index / 200)}.${index % 200}`],
    conditions: { ready: true, serving: true, terminating: false },
  }));
  const events = Array.from({ length: eventsPerBody }, (_, index) => {
    const name = `s${place}-${index}`;
    const metadata = {
      name,
      namespace: "shop",
      uid: `uid-${name}`,
      resourceVersion: "1000",
      creationTimestamp: "2026-11-22T10:00:00Z",
      labels: { "kubernetes.io/service-name": "web" },
    };
    return event("update", "EndpointSlice", slice({ metadata, endpoints }), {}, { name });
  });
  return JSON.stringify(eventList(...events));
}

test(
  "a flood of large bodies: each is answered, 200 or 503 with Retry-After, and memory stays bounded",
  async () => {
    await using entrance = await EntranceProcess.start({ platform: "node", nodes: ["http://127.0.0.1:1"] });
    const port = Number(new URL(entrance.url).port);
    const whole = body();
    const answers: Answer[] = [];
    await Promise.all(
      Array.from({ length: clients }, async (_, client) => {
        const own = Buffer.from(whole.replaceAll(place, String(client)));
        for (let round = 0; round < times(2, 20); round += 1) {
          answers.push(await request(port, "/audit", { method: "POST", body: own, timeoutMs }));
        }
      }),
    );
    expect([...new Set(answers.map(({ status }) => status))].sort()).toEqual([200, 503]);
    for (const answer of answers) if (answer.status === 503) expect(answer.headers["retry-after"]).toMatch(/^[1-9]/);
    const peak =
      Number(/^VmHWM:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${entrance.pid}/status`, "utf8"))?.[1]) / 1_024;
    expect(peak).toBeLessThan(mostMiB);
    const metrics = await (await entrance.fetch("/metrics")).text();
    const turnedAway = answers.filter(({ status }) => status === 503).length;
    expect(metrics).toContain(`entrance_turned_away_total ${turnedAway}\n`);
    report("flood", { bodies: answers.length, "told to come again": turnedAway, "most memory, MiB": Math.round(peak) });
  },
  timeoutMs,
);
