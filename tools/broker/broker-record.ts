import { lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { connectRabbitmqNode, type RabbitmqNode } from "../rabbitmq/index.js";

/** Leaves word of a node for whoever knows only its URL. Returns what takes it away again. */
export function recordBroker(node: RabbitmqNode): () => void {
  const folder = recordFolder();
  mkdirSync(folder, { mode: 0o700, recursive: true });
  if (!isOurs(folder)) throw new Error(`${folder} belongs to somebody else`);
  const file = recordOf(node.port);
  writeFileSync(file, JSON.stringify({ stateFile: node.stateFile }), { mode: 0o600 });
  return () => rmSync(file, { force: true });
}

/** The node that `npm run broker` of this user keeps at this URL; undefined if there is none. */
export function findRecordedBroker(url: string): RabbitmqNode | undefined {
  const port = localPortOf(url);
  if (port === undefined || !isOurs(recordFolder())) return undefined;
  try {
    const { stateFile } = JSON.parse(readFileSync(recordOf(port), "utf8")) as { readonly stateFile: string };
    return connectRabbitmqNode(stateFile);
  } catch {
    // No record, or one that a killed program left behind.
    return undefined;
  }
}

function localPortOf(url: string): number | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, port } = new URL(url);
  return protocol === "amqp:" && ["127.0.0.1", "localhost"].includes(hostname) ? Number(port || 5672) : undefined;
}

function recordFolder(): string {
  return join(tmpdir(), `fairlead-broker-${process.getuid?.() ?? userInfo().username}`);
}

function recordOf(port: number): string {
  return join(recordFolder(), `${port}.json`);
}

/** Everybody may write to the folder for temporary files. */
function isOurs(folder: string): boolean {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && (process.getuid === undefined || stat.uid === process.getuid());
}
