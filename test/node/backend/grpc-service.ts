// A gRPC service without a schema: bytes in, bytes out, each of the four ways to stream.
import type { EventEmitter } from "node:events";
import {
  type ChannelCredentials,
  Client,
  credentials,
  type Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";

const same = (bytes: Buffer): Buffer => bytes;

function method(name: string, requestStream: boolean, responseStream: boolean) {
  const path = `/test.Echo/${name}`;
  const how = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
  return { path, requestStream, responseStream, ...how };
}

const service: ServiceDefinition = {
  Unary: method("Unary", false, false),
  Collect: method("Collect", true, false),
  Repeat: method("Repeat", false, true),
  Chat: method("Chat", true, true),
};

export interface GrpcBackend {
  readonly port: number;
  readonly calls: () => number;
  /** What health checks are answered; undefined: there is no such service. */
  serving: boolean | undefined;
  [Symbol.asyncDispose](): Promise<void>;
}

interface Pair {
  readonly chain: string;
  readonly key: string;
}

/** Unary "fail" fails, "slow" never answers, everything else comes back with the name before it. */
export async function startGrpc(name: string, pair?: Pair): Promise<GrpcBackend> {
  let calls = 0;
  const it = { serving: undefined as boolean | undefined };
  const server = new Server();
  const implementation: UntypedServiceImplementation = {
    Unary: (call: { request: Buffer; metadata: Metadata }, done: (error: object | null, answer?: Buffer) => void) => {
      calls += 1;
      const text = call.request.toString();
      if (text === "fail") done({ code: status.FAILED_PRECONDITION, details: "told to" });
      else if (text !== "slow") done(null, Buffer.concat([Buffer.from(`${name}:`), call.request]));
    },
    Collect: (call: EventEmitter, done: (error: object | null, answer: Buffer) => void) => {
      let bytes = 0;
      call.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      call.on("end", () => done(null, Buffer.from(String(bytes))));
    },
    Repeat: (call: { request: Buffer; write(bytes: Buffer): void; end(): void }) => {
      for (let sent = 0; sent < Number(call.request.toString()); sent += 1) call.write(Buffer.from(String(sent)));
      call.end();
    },
    Chat: (call: EventEmitter & { write(bytes: Buffer): void; end(): void }) => {
      call.on("data", (chunk: Buffer) => call.write(Buffer.from(`${name}:${chunk.toString()}`)));
      call.on("end", () => call.end());
    },
  };
  server.addService(service, implementation);
  const check = { ...method("Check", false, false), path: "/grpc.health.v1.Health/Check" };
  const answerCheck = (_: unknown, done: (error: object | null, answer?: Buffer) => void) => {
    if (it.serving === undefined) done({ code: status.UNIMPLEMENTED });
    else done(null, Buffer.from([8, it.serving ? 1 : 2]));
  };
  server.addService({ Check: check }, { Check: answerCheck });
  const how =
    pair === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [
          { cert_chain: Buffer.from(pair.chain), private_key: Buffer.from(pair.key) },
        ]);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", how, (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  return Object.assign(it, {
    port,
    calls: () => calls,
    [Symbol.asyncDispose]: async () => server.forceShutdown(),
  });
}

export interface GrpcAnswer {
  readonly code: number;
  readonly details: string;
  readonly messages: readonly string[];
  readonly trailers: Readonly<Record<string, unknown>>;
}

/** A client of the node's HTTPS listener, asking for this host. */
export class GrpcClient {
  readonly #client: Client;

  /** name: what the node's certificate is for. authority: who has signed it. */
  constructor(port: number, name: string, authority: string, host = name) {
    const how: ChannelCredentials = credentials.createSsl(Buffer.from(authority));
    const names = { "grpc.ssl_target_name_override": name, "grpc.default_authority": host };
    this.#client = new Client(`127.0.0.1:${port}`, how, names);
  }

  /** One call with these messages, of a method with these streams. */
  call(name: keyof typeof service, messages: readonly string[], deadlineMs = 10_000): Promise<GrpcAnswer> {
    const { path, requestStream, responseStream } = service[name] as ReturnType<typeof method>;
    const options = { deadline: Date.now() + deadlineMs };
    const received: string[] = [];
    const bytes = messages.map((message) => Buffer.from(message));
    const [first = Buffer.alloc(0)] = bytes;
    return new Promise((resolve) => {
      const settle = (end: { code: number; details: string; metadata: Metadata }) =>
        resolve({ code: end.code, details: end.details, messages: received, trailers: end.metadata.getMap() });
      const take = (_error: unknown, answer?: Buffer) => {
        if (answer !== undefined) received.push(answer.toString());
      };
      if (requestStream) {
        const call = responseStream
          ? this.#client.makeBidiStreamRequest(path, same, same, options)
          : this.#client.makeClientStreamRequest(path, same, same, options, take);
        call.on("status", settle).on("error", () => undefined);
        if (responseStream) call.on("data", (chunk: Buffer) => received.push(chunk.toString()));
        for (const each of bytes) call.write(each);
        call.end();
      } else if (responseStream) {
        const call = this.#client.makeServerStreamRequest(path, same, same, first, options);
        call.on("data", (chunk: Buffer) => received.push(chunk.toString()));
        call.on("status", settle).on("error", () => undefined);
      } else {
        this.#client.makeUnaryRequest(path, same, same, first, options, take).on("status", settle);
      }
    });
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}
