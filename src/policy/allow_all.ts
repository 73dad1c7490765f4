/** The policy of a proxy that was told none, and looks away: everything is allowed. */

import type { Decider, Verdict } from "./verdict.ts";

const ALLOWED: Verdict = {
  decision: "allow",
  rule: "default",
  reason: "",
  note: "",
  enforced: true,
  tls: "any",
  rates: null,
};

export const ALLOW_ALL: Decider = {
  looksAtPaths: false,
  authenticates: false,
  reportsOnly: false,
  decide: () => ALLOWED,
};
