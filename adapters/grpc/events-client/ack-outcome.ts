/** What an answer came to: `"ok"`, or why it changed nothing. */
export type AckOutcome = "ok" | "late" | "unknown" | "unconfirmed" | "unresolved";
