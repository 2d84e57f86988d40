/** An annotation about a Service's ports: one value for all of them, or `PORT=VALUE,…`. */
import type { SeenService } from "../../model/seen/service.ts";
import { quote, refusal } from "../problem.ts";
import type { Problem } from "../translation.ts";

/** The value for each port's number; of a port that is not named there is none. */
export function portValues(
  service: SeenService,
  name: string,
  prefix: string,
  problems: Problem[],
): ReadonlyMap<number, string> {
  const text = service.annotations[name]?.trim() ?? "";
  const values = new Map<number, string>();
  for (const { port, value } of partsOf(text)) {
    const numbers = service.ports.flatMap((each) => (isMeant(each, port) ? [each.port] : []));
    const fault = faultOf(numbers, port, values);
    if (fault === undefined) for (const number of numbers) values.set(number, value);
    else if (service.ports.length > 0) {
      const form = "VALUE for all ports, or PORT=VALUE, several joined by commas";
      problems.push(refusal(`annotation ${prefix}/${name}: ${quote(port ?? text)}: ${fault}; write ${form}`));
    }
  }
  return values;
}

function isMeant({ port, name }: SeenService["ports"][number], text: string | undefined): boolean {
  return text === undefined || text === String(port) || text === name;
}

function faultOf(
  numbers: readonly number[],
  port: string | undefined,
  values: ReadonlyMap<number, string>,
): string | undefined {
  if (numbers.length === 0) return "the Service has no such port";
  if (port !== undefined && numbers.some((number) => values.has(number))) return "the port is named twice";
  return undefined;
}

/** Commas belong to a value unless a port follows: `80=200-299,401,grpc=200` is about two ports. */
function partsOf(text: string): { readonly port?: string; readonly value: string }[] {
  const starts = [...text.matchAll(/(?:^|,)\s*([A-Za-z0-9-]{1,63})\s*=/g)];
  if (starts[0]?.index !== 0) return text === "" ? [] : [{ value: text }];
  return starts.map((start, index) => ({
    port: start[1] ?? "",
    value: text.slice(start.index + start[0].length, starts[index + 1]?.index).trim(),
  }));
}
