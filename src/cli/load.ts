/** Brings flags, the file and the files that it names together into a configuration. */

import { type Config, configOf, type Instance } from "../config/config.ts";
import { certificateFilesOf, requireDistinctPlaces } from "../config/entrance.ts";
import { ConfigError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import type { Values } from "../config/options.ts";
import { policyOf } from "../config/policy.ts";
import { casesOf, NO_WAYS, parentsOf, routesOf, type WrittenWays } from "../config/routes.ts";
import type { TomlContents } from "../config/toml.ts";
import { type ListenAddress, parseListenAddress } from "../net/listen.ts";
import type { Finding } from "../policy/finding.ts";
import type { HostList } from "../policy/host_list.ts";
import { Policy } from "../policy/policy.ts";
import { Routes } from "../policy/routes.ts";
import type { PolicySpec, RuleSpec } from "../policy/spec.ts";
import type { TestCase } from "../policy/test_case.ts";
import type { ParentSpec, WaySpec } from "../proxy/parents/parent.ts";
import type { Io } from "./io.ts";
import { ListFiles } from "./lists.ts";
import { fileIn, folderOf, listFilesOf, resolveLists } from "./named_files.ts";
import { requireAdmission } from "./public_listener.ts";
import type { FileUsers } from "./users.ts";

const MAX_CONFIG_SIZE = 4 * 2 ** 20;
const MAX_CERTIFICATES_SIZE = 4 * 2 ** 20;

/** A policy with all that it names. */
export interface LoadedPolicy {
  /** What was given, by flag or in the file. */
  values: Values;
  /** The rules as they were written, the command line's first; those without a name have the name `""`. */
  written: RuleSpec[];
  /** As they were written, and ready to be run. */
  tests: TestCase[];
  cases: TestCase[];
  /** Parents and routes as they were written, and what they come to. */
  ways: WrittenWays;
  routes: Routes<WaySpec>;
  /** Every parent that some route leads through. */
  parents: readonly ParentSpec[];
  spec: PolicySpec;
  lists: ReadonlyMap<string, HostList>;
  policy: Policy;
  /** What is hardly meant, each in a line; what cannot be meant was thrown. */
  warnings: string[];
  /** The file of users; it is not read here. */
  usersFile: string | null;
  /** The folder of the disk cache. */
  cacheFolder: string | null;
  /** All files that had to be read. */
  files: string[];
}

export interface Loaded extends LoadedPolicy {
  config: Config;
  users: FileUsers | null;
}

/** What was read before and need not be read again. */
export class Known {
  readonly lists = new ListFiles();
  users: FileUsers | null = null;
  /** Whether files were read at all, so that pipes have nothing left to say. */
  again = false;
}

/**
 * Reads everything that the command line names and judges it. Flags win over the file, the file over defaults.
 *
 * @throws {ConfigError} with everything that is wrong
 */
export async function load(
  line: CommandLine,
  instance: Instance,
  io: Io,
  known: Known = new Known(),
): Promise<Loaded> {
  const policy = await loadPolicy(line, io, known.lists, true, known.again);
  const config = configOf(policy.values, instance, policy.spec.rules, policy.ways);
  requireDistinctPlaces([
    ["--listen", config.listen],
    ["--listen-tls", config.listenTls],
    ["--gateway", config.gateways],
  ]);
  requireAdmission(placesOf(config), policy.spec, line, policy.files, config.proxy.trustedProxies !== null);
  const certificateFiles = certificateFilesOf(config);
  if (certificateFiles !== null) {
    const { readServerCertificate } = await import("./server_certificate.ts");
    const { certificate, warnings } = await readServerCertificate(certificateFiles, line);
    config.proxy.certificate = certificate;
    policy.warnings.push(...warnings);
  }
  config.proxy.originCertificates = await readCertificates(config.originCertificateFiles, line);
  config.proxy.policy = policy.policy;
  config.proxy.routes = policy.routes;
  config.usersFile = policy.usersFile;
  config.cacheFolder = policy.cacheFolder;
  const users = await readUsers(policy.usersFile, line, known.users);
  config.proxy.users = known.users = users;
  if (policy.files.length > 0) {
    const { modeWarnings } = await import("./file_modes.ts");
    policy.warnings.push(...modeWarnings(policy.files, policy.values["tls-key"]));
  }
  known.again = true;
  return { ...policy, config, users };
}

/** The files of what listeners over TLS show. */
function certificateOf({ "tls-cert": cert, "tls-key": key }: Values): string[] {
  return [cert, key].filter((file) => file !== undefined);
}

/** All places where clients come in. */
export function placesOf({ listen, listenTls, gateways }: Config): ListenAddress[] {
  return [...listen, ...listenTls, ...gateways];
}

/**
 * Reads the policy alone, by the file of `--config` and the flags: what commands need that serve nobody.
 *
 * @param serves whether users and certificates are going to be read too, so that one message asks for all
 * @param again whether this was done before
 * @throws {ConfigError} with everything that is wrong
 */
export async function loadPolicy(
  line: CommandLine,
  io: Io,
  known: ListFiles = new ListFiles(),
  serves = false,
  again = false,
): Promise<LoadedPolicy> {
  const written = await readConfig(line, io, again);
  const values = { ...written.values, ...line.values };
  if (line.options["no-cache"]) values.cache = 0;
  const rules = [...line.rules, ...resolveLists(written.rules, line.config)];
  const spec = policyOf(values, rules);
  const routes = resolveLists(routesOf(values, written.ways), line.config);
  const cases = casesOf(written.tests, written.ways);
  const usersFile = line.values.users ??
    (written.values.users === undefined ? null : fileIn(folderOf(line.config ?? ""), written.values.users));

  const cacheFolder = line.values["cache-dir"] ??
    (written.values["cache-dir"] === undefined
      ? null
      : fileIn(folderOf(line.config ?? ""), written.values["cache-dir"]));

  for (const name of ["tls-cert", "tls-key"] as const) {
    const file = written.values[name];
    if (file !== undefined && line.values[name] === undefined) {
      values[name] = fileIn(folderOf(line.config ?? ""), file);
    }
  }

  const listFiles = listFilesOf([...rules, ...routes]);
  const others = serves
    ? [...usersFile === null ? [] : [usersFile], ...values["origin-ca"] ?? [], ...certificateOf(values)]
    : [];
  const files = [...new Set([...configFileOf(line), ...listFiles, ...others])];
  if (files.length > 0) {
    const { refusePipes, requireRead } = await import("./read_file.ts");
    await requireRead(files, line);
    if (again) await refusePipes(files);
  }
  const lists = await known.load(listFiles, line);

  const parents = parentsOf(routes);
  const warnings = [...await lintPolicy(spec, lists), ...known.warnings];
  if (parents.length > 0) warnings.push(...await unjudged(spec, lists));
  return {
    values,
    written: [...line.rules, ...written.rules],
    tests: written.tests,
    cases,
    ways: written.ways,
    routes: new Routes(routes, lists),
    parents,
    spec,
    lists,
    policy: new Policy(spec, lists),
    warnings,
    usersFile,
    cacheFolder,
    files,
  };
}

/**
 * Has the linter look, where there is anything to look at: the usual start does without it.
 *
 * @returns what is hardly meant
 * @throws {ConfigError} with what cannot be meant
 */
async function lintPolicy(spec: PolicySpec, lists: ReadonlyMap<string, HostList>): Promise<string[]> {
  const { mode, rules, connectPorts, privateNetworks } = spec;
  const isPlain = mode === "enforce" && connectPorts === null && typeof privateNetworks === "string";
  if (rules.length === 0 && isPlain) return [];
  const { lint } = await import("../policy/linter.ts");
  const { findingText } = await import("../policy/finding.ts");
  const findings = lint(spec, lists);
  const textsOf = (wanted: Finding["severity"]) =>
    findings.filter(({ severity }) => severity === wanted).map(findingText);
  const errors = textsOf("error");
  if (errors.length > 0) throw new ConfigError(errors);
  return textsOf("warning");
}

/** What the policy says of addresses that nobody here gets to know: parents look the names up. */
async function unjudged(spec: PolicySpec, lists: ReadonlyMap<string, HostList>): Promise<string[]> {
  const { addressesInWords } = await import("./unjudged_addresses.ts");
  return addressesInWords(spec, lists);
}

function configFileOf({ config }: CommandLine): string[] {
  return config === undefined || config === "-" ? [] : [config];
}

async function readConfig(line: CommandLine, io: Io, again: boolean): Promise<TomlContents> {
  if (line.config === undefined) return { values: {}, rules: [], tests: [], ways: NO_WAYS };
  const { readText, readTextFile, refusePipes, requireRead } = await import("./read_file.ts");
  const { readToml } = await import("../config/toml.ts");
  if (line.config === "-") {
    const name = "standard input";
    if (io.isTerminal("input")) {
      io.err("weir: reading the configuration from here; Ctrl-D on a line of its own ends it\n");
    }
    return await readToml(await readText(io.input, name, MAX_CONFIG_SIZE), name, parseListenAddress);
  }
  const { users, "origin-ca": certificates = [] } = line.values;
  const others = [
    ...listFilesOf(line.rules),
    ...users === undefined ? [] : [users],
    ...certificates,
    ...certificateOf(line.values),
  ];
  await requireRead([line.config, ...others], line);
  if (again) await refusePipes([line.config]);
  return await readToml(
    await readTextFile(line.config, MAX_CONFIG_SIZE, line),
    line.config,
    parseListenAddress,
  );
}

/**
 * @param known those of before: when the file has the same name they go on, so that who is logged in stays so
 */
async function readUsers(
  file: string | null,
  line: CommandLine,
  known: FileUsers | null,
): Promise<FileUsers | null> {
  if (file === null) return null;
  const { loadUsers } = await import("./users.ts");
  const users = await loadUsers(file, line);
  // it is watched besides, and has what the file holds within moments
  return known?.path === file ? known : users;
}

/** @throws {ConfigError} for what holds no certificate */
export async function readCertificates(files: readonly string[], line: CommandLine): Promise<string[]> {
  if (files.length === 0) return [];
  const { readTextFile } = await import("./read_file.ts");
  const certificates: string[] = [];
  const problems: string[] = [];
  for (const file of files) {
    try {
      const pem = await readTextFile(file, MAX_CERTIFICATES_SIZE, line);
      requireCertificate(pem, file);
      certificates.push(pem);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return certificates;
}

function requireCertificate(pem: string, file: string): void {
  if (!/^-----BEGIN CERTIFICATE-----\s*$/m.test(pem)) {
    throw new ConfigError([
      `${file} holds no certificate: it should have a line -----BEGIN CERTIFICATE-----`,
    ]);
  }
  try {
    // what cannot be used is better found now than at the first handshake
    Deno.createHttpClient({ caCerts: [pem] }).close();
  } catch (error) {
    throw new ConfigError([
      `${file} holds a broken certificate: ${error instanceof Error ? error.message : error}`,
    ]);
  }
}
