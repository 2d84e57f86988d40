/** Which client addresses may ask: `deny` goes before `allow`; with `allow`, others are refused. */
import * as v from "valibot";

const reason = "must be an address or a range such as 10.0.0.0/8 or 2001:db8::/32";

const address = v.pipe(v.string(), v.ip());

function isRange(text: string): boolean {
  const [base = "", bits, ...rest] = text.split("/");
  if (rest.length > 0 || !v.is(address, base)) return false;
  return bits === undefined || (/^[0-9]{1,3}$/.test(bits) && Number(bits) <= (base.includes(":") ? 128 : 32));
}

const ranges = v.pipe(v.array(v.pipe(v.string(), v.check(isRange, reason))), v.maxLength(256));

export const sourceRangesSchema = v.object({
  type: v.literal("SourceRanges"),
  sourceRanges: v.pipe(
    v.object({ allow: v.optional(ranges), deny: v.optional(ranges) }),
    v.check(({ allow = [], deny = [] }) => allow.length + deny.length > 0, "allow or deny must name a range"),
  ),
});
