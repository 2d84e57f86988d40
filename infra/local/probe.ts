/** Questions to our own children over HTTP. */

const timeoutMs = 2_000;

/** Whether anything answers there, whatever it says. */
export async function answers(url: string): Promise<boolean> {
  return (await statusOf(url)) !== undefined;
}

export async function statusOf(url: string): Promise<number | undefined> {
  try {
    const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(timeoutMs) });
    await response.body?.cancel();
    return response.status;
  } catch {
    return undefined;
  }
}
