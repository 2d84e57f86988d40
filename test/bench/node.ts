/** The node's figures: requests, updates, memory, start. */
import { benchMemory, benchStart, type MemoryFigures, type StartFigures } from "./footprint.ts";
import { benchRequests, type RequestFigures } from "./requests.ts";
import { type BatchFigures, benchBatch, benchUpdate, type UpdateFigures } from "./update.ts";

export interface NodeFigures {
  readonly requests: Record<string, RequestFigures>;
  readonly update: UpdateFigures;
  readonly batch20000: BatchFigures;
  readonly memory: MemoryFigures;
  readonly start: StartFigures;
}

export async function benchNode(say: (line: string) => void): Promise<NodeFigures> {
  return {
    update: await benchUpdate(say),
    batch20000: await benchBatch(say),
    memory: await benchMemory(say),
    start: await benchStart(say),
    requests: await benchRequests(say),
  };
}
