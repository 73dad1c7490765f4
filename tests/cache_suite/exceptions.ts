/** The tests that weir does not pass, and why it is right or bearable that it does not. */
export const EXCEPTIONS: Record<string, string> = {};
