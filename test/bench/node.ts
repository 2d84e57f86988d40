/** The node's figures: requests, connections, updates, memory, start. */
import { benchMemory, benchStart, type MemoryFigures, type StartFigures } from "./footprint.ts";
import { benchL4, type L4Figures } from "./l4.ts";
import { benchRequests, type RequestFigures } from "./requests.ts";
import { type BatchFigures, benchBatch, benchUpdate, type UpdateFigures } from "./update.ts";

export interface NodeFigures {
  readonly requests: Record<string, RequestFigures>;
  readonly update: UpdateFigures;
  readonly batch20000: BatchFigures;
  readonly memory: MemoryFigures;
  readonly start: StartFigures;
  readonly l4: L4Figures;
}

export async function benchNode(say: (line: string) => void): Promise<NodeFigures> {
  return {
    update: await benchUpdate(say),
    batch20000: await benchBatch(say),
    memory: await benchMemory(say),
    start: await benchStart(say),
    l4: await benchL4(say),
    requests: await benchRequests(say),
  };
}
