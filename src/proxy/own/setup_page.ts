/** The page that says how to point things at this proxy, and the same for a terminal. */

import type { Authority } from "../../http/authority.ts";
import type { Scheme } from "../../http/target.ts";
import type { PasswordNeed } from "../../policy/verdict.ts";
import { USUAL_EXCEPTIONS } from "../../programs/exceptions.ts";
import { type Program, programOf, PROGRAMS, type Setting } from "../../programs/programs.ts";
import { shellWord } from "../../programs/shell_word.ts";
import { escaped } from "./answer.ts";
import { STYLE } from "./style.ts";

export interface SetupPage {
  /** Where whoever asks finds weir. */
  readonly proxy: Authority;
  /** In which they speak to it. */
  readonly scheme: Scheme;
  /** `weir`, with its version where that is told. */
  readonly name: string;
  /** When the client is asked for a password. */
  readonly passwordNeed: PasswordNeed;
}

/** Programs that are a shell: they come first, and are no further program. */
const SHELLS = ["sh", "fish", "powershell"];

/** What is said where clients speak TLS to weir. */
const NOT_BY_HAND = "What is set by hand speaks no TLS to its proxy: take the address";
const FEW_SPEAK_TLS =
  "Few programs speak TLS to their proxy. curl does; for others weir has to listen without TLS as well.";

/** The page for a browser. */
export function setupHtml(page: SetupPage): string {
  const { proxy, scheme, name, passwordNeed } = page;
  const setting = settingOf(page);
  const { host, port } = setting.proxy;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escaped(name)} at ${escaped(proxy.text)}</title>
<style>${STYLE}</style>
<h1>This is a proxy: <b>${escaped(proxy.text)}</b></h1>
<p>It is not a site. Point a browser, a shell or a program at it, and they reach sites through it.</p>
${passwordNeed === "never" ? "" : `<p>${escaped(passwordInWords(passwordNeed, setting))}</p>`}
<h2>Browsers</h2>
<dl>
<dt>By an address for automatic configuration</dt>
<dd><pre>${escaped(pacUrl(page))}</pre>
Firefox: Settings → General → Network Settings. Others take the system’s: its network settings, “automatic proxy
setup” or “setup script”. What is local goes past the proxy.</dd>
<dt>By hand</dt>
<dd>${
    scheme === "https"
      ? NOT_BY_HAND
      : `HTTP proxy <code>${escaped(host)}</code>, port <code>${port}</code>, for HTTPS too`
  }</dd>
<dt>A Chromium of its own</dt>
<dd><pre>${escaped(chromium(page))}</pre></dd>
</dl>
${scheme === "https" ? programsOverTls(setting) : programs(setting)}
<footer>${escaped(name)}. To see whether it is well: <a href="/-/healthy">/-/healthy</a>,
<a href="/-/ready">/-/ready</a></footer>
</html>
`;
}

function programs(setting: Setting): string {
  const others = PROGRAMS.filter((program) => !SHELLS.includes(program.name));
  return `<h2>A shell</h2>
${SHELLS.map((shell) => details(programOf(shell)!, setting, shell === SHELLS[0])).join("\n")}
<h2>One program</h2>
${others.map((program) => details(program, setting, false)).join("\n")}`;
}

function programsOverTls(setting: Setting): string {
  return `<h2>Programs</h2>
<p>${FEW_SPEAK_TLS}</p>
${details(programOf("curl")!, setting, true)}`;
}

/** The same for who asks by a program. */
export function setupText(page: SetupPage): string {
  const { scheme, name, passwordNeed } = page;
  const setting = settingOf(page);
  const { text, host, port } = setting.proxy;
  const head = `${name}: this is a proxy, ${text}
${passwordNeed === "never" ? "" : `\n${passwordInWords(passwordNeed, setting)}\n`}
One request:
  curl -x ${shellWord(text)} http://example.com/
`;
  if (scheme === "https") return `${head}\nBrowsers, by the address\n  ${pacUrl(page)}\n\n${FEW_SPEAK_TLS}\n`;
  return `${head}
This shell:
${indented(programOf(SHELLS[0])!.text(setting))}
Browsers: HTTP proxy ${host}, port ${port}, for HTTPS too; or by the address
  ${pacUrl(page)}

Other programs, each by weir env --proxy ${text} NAME:
  ${PROGRAMS.map((program) => program.name).join(" ")}
`;
}

function settingOf({ proxy, scheme }: SetupPage): Setting {
  const { host, port, text } = proxy;
  return {
    proxy: { text: `${scheme}://${text}`, host, port: String(port), hasUser: false },
    exceptions: USUAL_EXCEPTIONS,
  };
}

function pacUrl({ proxy, scheme }: SetupPage): string {
  return `${scheme}://${proxy.text}/proxy.pac`;
}

function chromium(page: SetupPage): string {
  return `chromium --user-data-dir=/tmp/weir-profile --proxy-pac-url=${shellWord(pacUrl(page))}`;
}

function passwordInWords(need: PasswordNeed, { proxy }: Setting): string {
  const named = proxy.text.replace("//", "//USER:PASSWORD@");
  const asks = need === "always" ? "It asks" : "For some requests it asks";
  return `${asks} for a user and a password. Browsers show a prompt; for programs put them in the URL: ${named}.`;
}

/** What one program is told, and where. */
function details(program: Program, setting: Setting, open: boolean): string {
  const { title, place, note, once } = program;
  const lines = [
    `<summary>${escaped(title)}</summary>`,
    `<small>${place === "shell" ? "In a shell" : `Into ${escaped(place)}`}</small>`,
    `<pre>${escaped(program.text(setting))}</pre>`,
    ...(once === undefined ? [] : [`<small>For one run</small>\n<pre>${escaped(once(setting))}</pre>`]),
    ...(program.elsewhere && isThisMachine(setting)
      ? [
        `<small>In a container ${
          escaped(setting.proxy.host)
        } is the container itself: open this page by an ` +
        "address that containers reach.</small>",
      ]
      : []),
    ...(note === undefined ? [] : [`<small>${escaped(note)}.</small>`]),
  ];
  return `<details${open ? " open" : ""}>${lines.join("\n")}</details>`;
}

/** Whether weir was asked for by an address that is another machine everywhere else. */
function isThisMachine({ proxy: { host } }: Setting): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}
