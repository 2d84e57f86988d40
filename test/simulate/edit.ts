/** Somebody edits an object: what is half way through where a holder died with it, what was just written, or any. */
import type { Random } from "./random.ts";
import { varied } from "./variation.ts";
import type { World } from "./world.ts";

export async function edit(world: World, random: Random): Promise<void> {
  const { apiserver, plan } = world;
  const old = apiserver.objects.get(chosen(world, random));
  if (old !== undefined && old.metadata.namespace !== "z") await apiserver.put(varied(random, plan.extent, old));
}

function chosen(world: World, random: Random): string {
  const { objects, lastWritten } = world.apiserver;
  const halves = halfThrough(world);
  if (halves.length > 0 && !random.one(3)) return random.pick(halves);
  return random.one(2) ? lastWritten : random.pick([...objects.keys(), ""]);
}

/** Claims of these are known, and their outcome is not there yet. */
function halfThrough({ store }: World): string[] {
  return ["Ingress", "Service"].flatMap((kind) =>
    [...(store.partitions().get(`want/${kind}`) ?? [])]
      .filter(([, { value }]) => value.includes('"unfinished":true'))
      .map(([sort]) => `${kind}/${sort}`),
  );
}
