/** Preloaded into a process (`node --import`): its clock is TEST_CLOCK_OFF_MS ahead of this machine's; below 0, behind. */
const offMs = Number(process.env["TEST_CLOCK_OFF_MS"] ?? 0);
const trueNow = Date.now;

Date.now = () => trueNow() + offMs;
globalThis.Date = new Proxy(Date, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [target.now()] : args, newTarget),
});
