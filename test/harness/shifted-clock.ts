/** Preloaded into a process (`node --import`): its clock is TEST_CLOCK_OFF_MS ahead of this machine's; below 0, behind. */
import { setClockOff } from "./clock.ts";

setClockOff(Number(process.env["TEST_CLOCK_OFF_MS"] ?? 0));
