/** One broker host, as a URL names it. */
export interface ServerUrl {
  readonly protocol: "amqp" | "amqps";
  readonly hostname: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly vhost: string;
}

const FORM = "write it as amqp://user:password@host:5672/vhost";

/** The URL's parts, or what is wrong with it. The text never quotes the URL: it holds the password. */
export function parseServerUrl(text: unknown): ServerUrl | { readonly fault: string } {
  if (typeof text !== "string" || text === "") return { fault: `is missing: ${FORM}` };
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return { fault: `is not a URL: ${FORM}` };
  if (scheme !== "amqp" && scheme !== "amqps") return { fault: `has the scheme "${scheme}:", not amqp: or amqps:` };
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return { fault: `is not a URL: ${FORM} (special characters in user and password percent-encoded)` };
  }
  if (url.hostname === "") return { fault: `names no host: ${FORM}` };
  if (url.port === "0") return { fault: "has the port 0: a broker listens on 1 to 65535" };
  if (url.search !== "" || url.hash !== "") return { fault: 'has a part after "?" or "#": give settings as options' };
  const path = url.pathname.replace(/^\//, "");
  if (path.includes("@")) {
    return { fault: "has an @ behind the host: in user and password, @ is %40 and / is %2F" };
  }
  if (path.includes("/")) return { fault: "names a virtual host with a slash: write it as %2F" };
  const [username, password, vhost] = [url.username, url.password, path].map(decoded);
  if (username === undefined || password === undefined || vhost === undefined) {
    return { fault: "has a % that starts no percent-encoding: write % itself as %25" };
  }
  const named = username !== "" || password !== "";
  return {
    protocol: scheme,
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (scheme === "amqp" ? 5672 : 5671) : Number(url.port),
    username: named ? username : "guest",
    password: named ? password : "guest",
    vhost: vhost === "" ? "/" : vhost,
  };
}

/** For people: where it goes, without who goes there. */
export function serverAddress({ hostname, port }: ServerUrl): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
