/** Gateway API's RequestHeaderModifier and ResponseHeaderModifier: what a backend and what a client hears. */
import * as v from "valibot";
import { headerChanges } from "./header.ts";

export const requestHeaderModifierSchema = v.object({
  type: v.literal("RequestHeaderModifier"),
  requestHeaderModifier: headerChanges(true),
});

export const responseHeaderModifierSchema = v.object({
  type: v.literal("ResponseHeaderModifier"),
  responseHeaderModifier: headerChanges(false),
});
