/**
 * The one table of programs that can be pointed at the proxy: what `weir env` prints, README's table and weir's front
 * page come from it. A program is added here and nowhere else.
 */

import { shellWord } from "./shell_word.ts";
import { asEnds, asList, asStars, asWholeNames, type Exception, type Told } from "./exceptions.ts";
import type { ProxyUrl } from "./proxy_url.ts";

/** What a program is to be told. */
export interface Setting {
  readonly proxy: ProxyUrl;
  readonly exceptions: readonly Exception[];
}

export interface Program {
  /** The word after `weir env`, and others for the same. */
  readonly name: string;
  readonly also?: readonly string[];
  /** What people call it. */
  readonly title: string;
  /** What makes it use the proxy: commands of a shell, or a file's contents. Ends with a line break. */
  text(setting: Setting): string;
  /** Where that goes: a file, or `shell` for commands. */
  readonly place: string;
  /** Commands that take it back; absent where it stands in a file, from which a person has to take it. */
  undo?(): string;
  /** The command line that uses the proxy once. */
  once?(setting: Setting): string;
  /** How it is told of exceptions; `null`: in the environment alone. */
  readonly exceptions: ((exceptions: readonly Exception[]) => Told) | null;
  /** True when it cannot be told of a user and a password in this way. */
  readonly withoutUser?: true;
  /** True when it runs in a container, where 127.0.0.1 is its own. */
  readonly elsewhere?: true;
  /** What else there is to know, in a sentence without a full stop. */
  readonly note?: string;
}

/** Variables that programs look at: names in lower case, in upper case, or both. */
const LOWER = ["http_proxy", "https_proxy", "no_proxy"];
const UPPER = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];
const NODE = "NODE_USE_ENV_PROXY";

export const PROGRAMS: readonly Program[] = [
  {
    name: "sh",
    also: ["bash", "zsh", "ksh", "dash", "ash"],
    title: "sh, bash, zsh",
    place: "shell",
    text: (setting) => exports(setting, [...LOWER, ...UPPER, NODE]),
    undo: () => `unset ${[...LOWER, ...UPPER, NODE].join(" ")}\n`,
    exceptions: asList,
    note:
      "Most programs look at these variables: curl, wget, git, pip, npm, apt, Go, Deno, Node 24 and later",
  },
  {
    name: "fish",
    title: "fish",
    place: "shell",
    text: (setting) =>
      lines(
        variables(setting, [...LOWER, ...UPPER, NODE]),
        (name, value) => `set -gx ${name} ${fish(value)}`,
      ),
    undo: () => `set -e ${[...LOWER, ...UPPER, NODE].join(" ")}\n`,
    exceptions: asList,
  },
  {
    name: "powershell",
    also: ["pwsh"],
    title: "PowerShell",
    place: "shell",
    text: (setting) =>
      lines(
        variables(setting, [...LOWER, ...UPPER, NODE]),
        (name, value) => `$env:${name} = '${value.replaceAll("'", "''")}'`,
      ),
    undo: () =>
      [...LOWER, ...UPPER, NODE].map((name) => `Remove-Item Env:${name} -ErrorAction Ignore\n`).join(""),
    exceptions: asList,
  },
  {
    name: "curl",
    title: "curl",
    place: "~/.curlrc",
    text: ({ proxy, exceptions }) =>
      `proxy = ${doubleQuoted(proxy.text)}\n` +
      (exceptions.length === 0 ? "" : `noproxy = ${doubleQuoted(listed(exceptions))}\n`),
    once: ({ proxy }) => `curl -x ${shellWord(proxy.text)} URL`,
    exceptions: asList,
  },
  {
    name: "wget",
    title: "wget",
    place: "~/.wgetrc",
    text: ({ proxy, exceptions }) =>
      `use_proxy = on\nhttp_proxy = ${proxy.text}\nhttps_proxy = ${proxy.text}\n` +
      (exceptions.length === 0 ? "" : `no_proxy = ${listed(exceptions)}\n`),
    once: ({ proxy }) =>
      `wget -e use_proxy=on -e ${shellWord(`http_proxy=${proxy.text}`)} -e ${
        shellWord(`https_proxy=${proxy.text}`)
      } URL`,
    exceptions: asList,
  },
  {
    name: "git",
    title: "git",
    place: "shell",
    text: ({ proxy }) => `git config --global http.proxy ${shellWord(proxy.text)}\n`,
    undo: () => "git config --global --unset http.proxy\n",
    once: ({ proxy }) => `git -c ${shellWord(`http.proxy=${proxy.text}`)} clone URL`,
    exceptions: null,
  },
  {
    name: "npm",
    also: ["npx"],
    title: "npm",
    place: "shell",
    text: ({ proxy, exceptions }) => {
      const { texts } = asEnds(exceptions);
      const values = [`proxy=${proxy.text}`, `https-proxy=${proxy.text}`];
      if (texts.length > 0) values.push(`noproxy=${texts.join(",")}`);
      return `npm config set ${values.map(shellWord).join(" ")}\n`;
    },
    undo: () => "npm config delete proxy https-proxy noproxy\n",
    once: ({ proxy }) =>
      `npm install --proxy ${shellWord(proxy.text)} --https-proxy ${shellWord(proxy.text)}`,
    exceptions: asEnds,
  },
  {
    name: "node",
    title: "Node",
    place: "shell",
    text: (setting) => exports(setting, [...LOWER, NODE]),
    undo: () => `unset ${[...LOWER, NODE].join(" ")}\n`,
    exceptions: asList,
    note: "Node 22.21, 24 and later; older ones need undici's ProxyAgent",
  },
  {
    name: "deno",
    title: "Deno",
    place: "shell",
    text: (setting) => exports(setting, UPPER),
    undo: () => `unset ${UPPER.join(" ")}\n`,
    exceptions: asList,
  },
  {
    name: "pip",
    title: "pip",
    place: "shell",
    text: ({ proxy }) => `pip config set global.proxy ${shellWord(proxy.text)}\n`,
    undo: () => "pip config unset global.proxy\n",
    once: ({ proxy }) => `pip install --proxy ${shellWord(proxy.text)} NAME`,
    exceptions: null,
    note:
      "Exceptions need the variables that weir env sh prints; with a proxy in its configuration pip has none",
  },
  {
    name: "go",
    title: "Go",
    place: "shell",
    text: (setting) => exports(setting, UPPER),
    undo: () => `unset ${UPPER.join(" ")}\n`,
    exceptions: asList,
    note: "Programs in Go never send localhost through a proxy",
  },
  {
    name: "cargo",
    title: "cargo",
    place: "~/.cargo/config.toml",
    text: ({ proxy }) => `[http]\nproxy = ${doubleQuoted(proxy.text)}\n`,
    once: ({ proxy }) => `CARGO_HTTP_PROXY=${shellWord(proxy.text)} cargo build`,
    exceptions: null,
  },
  {
    name: "jvm",
    also: ["java"],
    title: "Java",
    place: "shell",
    text: (setting) => `export JAVA_TOOL_OPTIONS=${shellWord(javaProperties(setting).join(" "))}\n`,
    undo: () => "unset JAVA_TOOL_OPTIONS\n",
    once: ({ proxy }) => `java ${javaProxy(proxy).map(shellWord).join(" ")} …`,
    exceptions: asStars,
    withoutUser: true,
  },
  {
    name: "gradle",
    title: "Gradle",
    place: "~/.gradle/gradle.properties",
    text: (setting) =>
      javaProperties(setting).map((property) => `systemProp.${property.slice(2)}\n`).join(""),
    exceptions: asStars,
    withoutUser: true,
  },
  {
    name: "apt",
    also: ["apt-get"],
    title: "apt",
    place: "/etc/apt/apt.conf.d/95weir",
    text: ({ proxy, exceptions }) =>
      ["http", "https"].map((scheme) =>
        `Acquire::${scheme}::Proxy "${proxy.text}";\n` +
        asWholeNames(exceptions).texts.map((host) => `Acquire::${scheme}::Proxy::${host} "DIRECT";\n`).join(
          "",
        )
      ).join(""),
    once: ({ proxy }) => `apt-get -o ${shellWord(`Acquire::http::Proxy=${proxy.text}`)} update`,
    exceptions: asWholeNames,
  },
  {
    name: "systemd",
    title: "A service of systemd",
    place: "/etc/systemd/system/NAME.service.d/proxy.conf",
    text: (setting) =>
      "[Service]\n" +
      // a percent sign begins a specifier
      lines(
        variables(setting, [...LOWER, ...UPPER]),
        (name, value) => `Environment=${doubleQuoted(`${name}=${value}`.replaceAll("%", "%%"))}`,
      ),
    exceptions: asList,
    note: "Then: systemctl daemon-reload && systemctl restart NAME",
  },
  {
    name: "docker",
    title: "Docker's containers and builds",
    place: "~/.docker/config.json",
    text: ({ proxy, exceptions }) =>
      json({
        proxies: {
          default: {
            httpProxy: proxy.text,
            httpsProxy: proxy.text,
            ...(exceptions.length === 0 ? {} : { noProxy: listed(exceptions) }),
          },
        },
      }),
    exceptions: asList,
    elsewhere: true,
    note: "The client hands these to new containers as variables",
  },
  {
    name: "dockerd",
    title: "Docker's daemon, for what it pulls",
    place: "/etc/docker/daemon.json",
    text: ({ proxy, exceptions }) =>
      json({
        proxies: {
          "http-proxy": proxy.text,
          "https-proxy": proxy.text,
          ...(exceptions.length === 0 ? {} : { "no-proxy": listed(exceptions) }),
        },
      }),
    exceptions: asList,
    note: "Engine 23 and later. Then: systemctl restart docker",
  },
];

/** Every word that stands for a program. */
export const PROGRAM_WORDS: readonly string[] = PROGRAMS.flatMap(({ name, also = [] }) => [name, ...also]);

/** The program that a word stands for. */
export function programOf(word: string): Program | undefined {
  return PROGRAMS.find(({ name, also }) => name === word || also?.includes(word));
}

function listed(exceptions: readonly Exception[]): string {
  return asList(exceptions).texts.join(",");
}

function variables({ proxy, exceptions }: Setting, names: readonly string[]): [string, string][] {
  const list = listed(exceptions);
  return names.flatMap((name) => {
    if (name === NODE) return [[name, "1"] as [string, string]];
    if (name.toLowerCase() !== "no_proxy") return [[name, proxy.text] as [string, string]];
    return list === "" ? [] : [[name, list] as [string, string]];
  });
}

function lines(pairs: readonly [string, string][], line: (name: string, value: string) => string): string {
  return pairs.map(([name, value]) => `${line(name, value)}\n`).join("");
}

function exports(setting: Setting, names: readonly string[]): string {
  return lines(variables(setting, names), (name, value) => `export ${name}=${shellWord(value)}`);
}

function javaProperties({ proxy, exceptions }: Setting): string[] {
  // for https too; without it Java leaves out loopback by itself
  return [...javaProxy(proxy), `-Dhttp.nonProxyHosts=${asStars(exceptions).texts.join("|")}`];
}

function javaProxy({ host, port }: ProxyUrl): string[] {
  return ["http", "https"].flatMap((scheme) => [
    `-D${scheme}.proxyHost=${host}`,
    `-D${scheme}.proxyPort=${port}`,
  ]);
}

function fish(word: string): string {
  return shellWord(word) === word ? word : `'${word.replace(/[\\']/g, "\\$&")}'`;
}

/** As curl, TOML and systemd read it. */
function doubleQuoted(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
