/** Why the text is no `host:port`; undefined if it is one. Port 0 only where something listens. */
export function addressFault(text: string, options: { readonly portZero: boolean }): string | undefined {
  const [, host, port] = /^(\[[0-9a-f:.]+\]|[^\s:[\]/@]+):(\d{1,5})$/i.exec(text) ?? [];
  if (host === undefined) return "must be host:port, for example 127.0.0.1:10001";
  const least = options.portZero ? 0 : 1;
  return Number(port) < least || Number(port) > 65_535 ? `must have a port from ${least} to 65535` : undefined;
}
