/** The clock of whoever runs this, off by as much as is asked for. */
const trueNow = Date.now;
let offMs = 0;

/** Ahead of this machine's; below 0, behind. */
export function setClockOff(ms: number): void {
  if (Date.now === trueNow) replace();
  offMs = ms;
}

function replace(): void {
  Date.now = () => trueNow() + offMs;
  globalThis.Date = new Proxy(Date, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [target.now()] : args, newTarget),
  });
}
