/** What would bring in the world outside: a clock, chance, a timer. Whoever reaches for one of them fails. */
export function closeOff(): void {
  const forbid = (name: string) => () => {
    throw new Error(`${name} does not belong into a simulation: it would differ from run to run`);
  };
  Date.now = forbid("Date.now");
  Math.random = forbid("Math.random");
  crypto.randomUUID = forbid("crypto.randomUUID");
  crypto.getRandomValues = forbid("crypto.getRandomValues");
  AbortSignal.timeout = forbid("AbortSignal.timeout");
}
