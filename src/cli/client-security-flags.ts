import { readFileSync } from "node:fs";
import type { Command } from "commander";
import type { ClientSecurityOptions } from "../../adapters/grpc/index.js";
import { errorText } from "../util/error-text.js";
import { isLoopbackHost } from "../util/loopback.js";

/** How a command talks to its server, and as whom. */
export interface ClientSecurityFlags {
  readonly tls?: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
  readonly tokenFile?: string;
  readonly insecure?: boolean;
}

/** Where a token may stand; never in a flag, which every user of the machine can see. */
const TOKEN_VARIABLE = "FAIRLEAD_TOKEN";

export function addClientSecurityFlags(command: Command): Command {
  return command
    .option("--tls", "encrypted, trusting what Node.js trusts")
    .option("--ca <file>", "encrypted, trusting these authorities, in PEM")
    .option("--cert <file>", "the client's certificate, in PEM, for servers that want one; with --key")
    .option("--key <file>", "its private key, in PEM")
    .option("--server-name <name>", "the name in the server's certificate (default the host of --server)")
    .option(
      "--token-file <file>",
      `holds the bearer token, read for each call (default ${TOKEN_VARIABLE}, if it is set)`,
    )
    .option("--insecure", "send the token to another machine also without encryption");
}

/** Reads the flags, and adds what is wrong with them to the faults. Nothing of a secret is in these. */
export function readClientSecurityFlags(
  flags: ClientSecurityFlags,
  servers: readonly string[],
  faults: string[],
): ClientSecurityOptions {
  const { ca, cert, key, serverName, tokenFile, insecure = false } = flags;
  const file = (flag: string, path: string | undefined): Buffer | undefined => {
    try {
      return path === undefined ? undefined : readFileSync(path);
    } catch (error) {
      faults.push(`${flag} ${path}: cannot be read: ${errorText(error)}`);
      return undefined;
    }
  };
  if ((cert === undefined) !== (key === undefined)) faults.push("--cert and --key: give both or neither");
  const isEncrypted = flags.tls === true || ca !== undefined || cert !== undefined || serverName !== undefined;
  const tls = isEncrypted
    ? { ca: file("--ca", ca), certificate: file("--cert", cert), key: file("--key", key), serverName }
    : undefined;
  // Node.js would warn of each server that is named by its IP address, which is nothing that a user can mend.
  if (isEncrypted) process.noDeprecation = true;
  const token = readToken(tokenFile, faults);
  if (token !== undefined && tls === undefined && !insecure && !servers.every(isOnThisMachine)) {
    const source = tokenFile === undefined ? TOKEN_VARIABLE : "--token-file";
    faults.push(`${source}: the token would travel in plaintext: use --tls or --ca, or say --insecure`);
  }
  return { tls, token, plaintextToken: insecure };
}

/** What has nothing to do with `--broker`: the flags that were given. */
export function givenSecurityFlags(flags: ClientSecurityFlags): readonly string[] {
  const names = { tls: "--tls", ca: "--ca", cert: "--cert", key: "--key", serverName: "--server-name" };
  const all = { ...names, tokenFile: "--token-file", insecure: "--insecure" };
  return Object.entries(all).flatMap(([key, flag]) =>
    flags[key as keyof ClientSecurityFlags] === undefined ? [] : flag,
  );
}

function isOnThisMachine(server: string): boolean {
  return isLoopbackHost(server.slice(0, server.lastIndexOf(":")));
}

function readToken(path: string | undefined, faults: string[]): ClientSecurityOptions["token"] {
  const fromEnvironment = process.env[TOKEN_VARIABLE] || undefined;
  if (path === undefined) {
    if (fromEnvironment === undefined || /^[\x21-\x7e]+$/.test(fromEnvironment)) return fromEnvironment;
    faults.push(`${TOKEN_VARIABLE}: must be visible ASCII characters without spaces`);
    return undefined;
  }
  const read = (): string => readFileSync(path, "utf8").trim();
  try {
    if (!/^[\x21-\x7e]+$/.test(read()))
      faults.push(`--token-file ${path}: must hold one token, visible ASCII without spaces`);
  } catch (error) {
    faults.push(`--token-file ${path}: cannot be read: ${errorText(error)}`);
  }
  return read;
}
