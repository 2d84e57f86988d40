/** The protocol of a Service's or a slice's port; TCP where it is not told. */
import * as v from "valibot";

export const transport = v.nullish(v.picklist(["TCP", "UDP", "SCTP"], "must be TCP, UDP or SCTP"), "TCP");
