/** Questions to our own children over HTTP. */

const timeoutMs = 2_000;

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** What it answers there; undefined: nothing. */
export async function ask(url: string): Promise<Answer | undefined> {
  try {
    const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(timeoutMs) });
    return { status: response.status, text: await response.text() };
  } catch {
    return undefined;
  }
}

/** Whether anything answers there, whatever it says. */
export async function answers(url: string): Promise<boolean> {
  return (await ask(url)) !== undefined;
}
