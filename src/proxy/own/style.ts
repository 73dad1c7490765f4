/** The style of weir's own pages. */

/** As it stands in a page, whose policy names it by its hash. */
export const STYLE = `
:root { color-scheme: light dark; --line: #8884; --faint: #8881 }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 42rem; margin: 0 auto; padding: 3rem 1.5rem 4rem }
h1 { font-size: 2rem; font-weight: 300; line-height: 1.2; margin: 0 0 1rem }
h2 { font-size: 1.125rem; margin: 2.5rem 0 .5rem }
p, dl { margin: .5rem 0; overflow-wrap: anywhere }
code, pre { font: .875rem/1.5 ui-monospace, monospace }
pre { background: var(--faint); border: 1px solid var(--line); border-radius: .375rem; padding: .5rem .75rem;
  margin: .5rem 0; white-space: pre-wrap; overflow-wrap: anywhere }
details { border-top: 1px solid var(--line); padding: .375rem 0 }
details:last-of-type { border-bottom: 1px solid var(--line) }
summary { cursor: pointer }
dt { font-weight: 600; margin-top: .75rem } dd { margin: 0 }
small, footer { font-size: .875rem; opacity: .75 } footer { margin-top: 3rem }
`;

let hash: Promise<string> | null = null;

/** The one style that a page may have, by its hash. */
export function styleHash(): Promise<string> {
  return hash ??= crypto.subtle.digest("SHA-256", new TextEncoder().encode(STYLE))
    .then((digest) => `sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}`);
}
