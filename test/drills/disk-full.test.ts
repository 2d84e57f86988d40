/** The disk of Entrance's store is full: callers are told to come back, and nothing is lost once there is room. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Field, report } from "./field.ts";

/** Mounts a disk of 2 MiB on a folder of its own; undefined where this user may not. */
function mountSmallDisk(): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), "entrance-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", directory], { stdio: "ignore" });
    return directory;
  } catch {
    rmSync(directory, { recursive: true });
    return undefined;
  }
}

/** Leaves room for a few events, so that it is some commit in the middle of the work that fails first. */
const leftBytes = 128 * 1024;

function fill(directory: string): void {
  const { bavail, bsize } = statfsSync(directory);
  writeFileSync(join(directory, "ballast"), Buffer.alloc(bavail * bsize - leftBytes));
}

test("a full disk is 503 with Retry-After, and nothing acknowledged is lost", { timeout: 120_000 }, async ({
  skip,
}) => {
  const directory = mountSmallDisk();
  if (directory === undefined) return skip("only root may mount a small disk");
  try {
    await using field = await Field.start({ directory });
    const { writer } = field;
    for (let number = 0; number < 20; number += 1) await writer.route(`before-${number}`);
    await field.untilEqual();

    fill(directory);
    let refusedAt = 0;
    while (refusedAt < 500 && (await writer.route(`full-${refusedAt}`))) refusedAt += 1;
    expect(refusedAt).toBeLessThan(500);
    const answer = await field.entrance.fetch("/audit", { method: "POST", body: writer.lastBody });
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await answer.json()).toMatchObject({ error: "unavailable" });
    expect((await field.entrance.fetch("/healthz")).status).toBe(200);
    expect((await field.node.get("before-0.example")).status).toBe(200);

    rmSync(join(directory, "ballast"));
    // Nobody sends anything: the timer finds what is left to do.
    const took = await field.untilEqual();
    expect(await field.wrong()).toEqual([]);
    expect(await writer.route(`full-${refusedAt}`)).toBe(true);
    await field.untilEqual();
    expect(await field.wrong()).toEqual([]);
    await field.entrance.kill9();
    await field.entrance.start();
    await writer.route("after");
    await field.untilEqual();
    expect(await field.wrong()).toEqual([]);
    report("disk full", { "acknowledged when full": refusedAt, "equal after there is room, ms": took });
  } finally {
    execFileSync("umount", ["--lazy", directory]);
    rmSync(directory, { recursive: true });
  }
});
