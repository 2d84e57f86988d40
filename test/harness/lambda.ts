/**
 * Lambda as the bundle meets it: sandboxes that have one event at a time, stand still (SIGSTOP) as soon as they have
 * answered, and are killed when the time is over; and the API by which a function invokes itself.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { bundle } from "../../infra/build.ts";
import { scheduleEvent } from "./lambda-events.ts";
import type { Invocation, Outcome } from "./lambda-sandbox.ts";

const arn = "arn:aws:lambda:local:000000000000:function:entrance";

/** As entrance.yaml has it. */
const functionTimeoutMs = 75_000;

export class Lambda {
  /** All that the function ever printed. */
  log = "";
  /** How often it invoked itself. */
  ownInvocations = 0;
  /** Whether it may. */
  mayInvoke = true;
  /** Of the events that the function sends to itself. */
  ownTimeoutMs = 60_000;
  /** So long after they began their sandboxes are killed, however much time they were told. */
  ownDeathMs: number | undefined;
  readonly #directory: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #server: Server;
  readonly #sandboxes = new Set<ChildProcess>();
  readonly #frozen: ChildProcess[] = [];
  readonly #running = new Set<Promise<unknown>>();
  #schedule: NodeJS.Timeout | undefined;

  private constructor(directory: string, environment: Readonly<Record<string, string>>, server: Server) {
    this.#directory = directory;
    this.#server = server;
    const { port } = server.address() as AddressInfo;
    this.#environment = { ...environment, AWS_ENDPOINT_URL_LAMBDA: `http://127.0.0.1:${port}` };
    server.on("request", async (request, response) => {
      const isEvent = request.headers["x-amz-invocation-type"] === "Event";
      const name = decodeURIComponent(request.url ?? "");
      if (!this.mayInvoke || !isEvent || name !== `/2015-03-31/functions/${arn}/invocations`) {
        response.writeHead(403, { "content-type": "application/json", "x-amzn-errortype": "AccessDeniedException" });
        response.end("{}");
        return;
      }
      const event = await json(request);
      this.ownInvocations += 1;
      response.writeHead(202).end();
      this.background(event, this.ownTimeoutMs, this.ownDeathMs);
    });
  }

  static async start(environment: Readonly<Record<string, string>>): Promise<Lambda> {
    const directory = mkdtempSync(join(tmpdir(), "entrance-lambda-"));
    await bundle("lambda", join(directory, "lambda.mjs"));
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Lambda(directory, environment, server);
  }

  /** As the asynchronous invocations are: nobody hears of their end. */
  background(event: unknown, timeoutMs = functionTimeoutMs, deathMs = timeoutMs): void {
    const running = this.invoke(event, timeoutMs, deathMs)
      .catch((error: unknown) => {
        this.log += `\n${String(error)}`;
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** What the handler answered. Throws what it threw, and where its time was over. */
  async invoke(event: unknown, timeoutMs = functionTimeoutMs, deathMs = timeoutMs): Promise<unknown> {
    const sandbox = await this.#thawed();
    const ended = new AbortController();
    const { signal } = ended;
    const answered = Promise.race([
      once(sandbox, "message", { signal }).then(([outcome]): Outcome => outcome),
      once(sandbox, "exit", { signal }).then(() => {
        throw new Error("the sandbox has ended");
      }),
    ]);
    const invocation: Invocation = { event, arn, timeoutMs };
    sandbox.send(invocation);
    const timer = setTimeout(() => sandbox.kill("SIGKILL"), deathMs);
    try {
      const outcome = await answered;
      sandbox.kill("SIGSTOP");
      this.#frozen.push(sandbox);
      if ("fault" in outcome) throw new Error(outcome.fault);
      return "result" in outcome ? outcome.result : undefined;
    } finally {
      clearTimeout(timer);
      ended.abort();
    }
  }

  /** The schedule's event, every minute from now on. */
  schedule(): void {
    this.background(scheduleEvent);
    this.#schedule = setInterval(() => this.background(scheduleEvent), 60_000);
  }

  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async stop(): Promise<void> {
    clearInterval(this.#schedule);
    for (const sandbox of this.#sandboxes) sandbox.kill("SIGKILL");
    await this.settled();
    this.#server.closeAllConnections();
    this.#server.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #thawed(): Promise<ChildProcess> {
    const frozen = this.#frozen.pop();
    if (frozen !== undefined) {
      frozen.kill("SIGCONT");
      return frozen;
    }
    const sandbox = spawn(process.execPath, [source, join(this.#directory, "lambda.mjs")], {
      env: { PATH: process.env["PATH"] ?? "", ...this.#environment },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.#sandboxes.add(sandbox);
    sandbox.once("exit", () => this.#sandboxes.delete(sandbox));
    for (const stream of [sandbox.stdout, sandbox.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.log += chunk.toString();
      });
    }
    const ended = once(sandbox, "exit").then(() => {
      throw new Error(`the function does not start: ${this.log}`);
    });
    await Promise.race([once(sandbox, "message"), ended]);
    ended.catch(() => undefined);
    return sandbox;
  }
}

const source = fileURLToPath(new URL("lambda-sandbox.ts", import.meta.url));
