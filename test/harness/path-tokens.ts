/** Tokens as they may, and may not, stand in the path of a webhook's configuration: as the Kubernetes API takes them. */
export const pathTokens = {
  taken: ["3f1c0a9be7d24c55a0d1", "a-token-of-the-tests", "a--token.of.0-dots.9", "0".repeat(64), "a".repeat(253)],
  refused: [
    "q83vEjRWeJCrze8SNFZ4kKvN7xI0Vniq",
    "3f1c/a9be+7d24c55a0d1=",
    "An-upper-case-token",
    "an_underscore_in_it",
    "-a-hyphen-before-it",
    "a-hyphen-at-its-end-",
    "a.hyphen.-at.a.dots.side",
    "two..dots.side.by.side",
    "a-dot-at-its-end.",
    "percent%2dencoded-token",
    "a".repeat(254),
  ],
} as const;
