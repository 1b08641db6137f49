import type { ServeProcess } from "../../process/serve-process.js";

export interface StartRefused {
  /** Undefined: it serves. */
  readonly said: string | undefined;
  readonly ms: number;
}

/** Starts the server once, and resolves with its last words if it ends instead of serving. */
export async function startOnce(server: ServeProcess): Promise<StartRefused> {
  const startedAt = performance.now();
  server.launch();
  const said = await server.ready(1).then(
    () => undefined,
    () => server.lines.filter((line) => line.trim() !== "").at(-1) ?? "it said nothing",
  );
  return { said, ms: Math.round(performance.now() - startedAt) };
}

/** What is wrong with how a start was refused that must be. */
export function unclearStart(
  where: string,
  { said, ms }: StartRefused,
  clear: RegExp,
  mostMs: number,
): readonly string[] {
  if (said === undefined) return [`${where} it serves`];
  return [
    ...(/^fairlead: /.test(said) && clear.test(said) ? [] : [`${where} it said ${said}`]),
    ...(ms > mostMs ? [`${where} it took ${ms} ms to say so`] : []),
  ];
}
