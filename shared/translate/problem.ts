/** Sentences for developers at `kubectl apply` and in the status. */
import type { Problem } from "./translation.ts";

/** Refused at the door. */
export function refusal(sentence: string): Problem {
  return { sentence, deny: true };
}

/** Something else may still come, or it is no fault of this object: shown, never refused. */
export function remark(sentence: string): Problem {
  return { sentence, deny: false };
}

/** It works, and might not be what was meant: told at a review only. */
export function advice(sentence: string): Problem {
  return { sentence, deny: false, isAdvice: true };
}

/** More sentences than this help nobody, and a warning of an admission answer is cut at 4 KB in all. */
const maxProblems = 20;

/** Each once, refusals first, and not endlessly many. */
export function distinct(problems: readonly Problem[]): readonly Problem[] {
  const once = new Map(problems.map((problem) => [problem.sentence, problem]));
  const ordered = [...once.values()].sort((a, b) => Number(b.deny) - Number(a.deny));
  if (ordered.length <= maxProblems) return ordered;
  return [
    ...ordered.slice(0, maxProblems - 1),
    remark(`and ${ordered.length - maxProblems + 1} more faults of this kind`),
  ];
}

/** What somebody wrote, short and in plain characters, so that a sentence stays one wherever it is shown. */
export function quote(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]/gu, "?").replaceAll('"', "'");
  return `"${plain.length > 60 ? `${plain.slice(0, 57)}...` : plain}"`;
}
