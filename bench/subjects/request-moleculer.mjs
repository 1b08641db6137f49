import { startMoleculer } from "../peers/start-moleculer.mjs";

export async function serve({ url, queue }) {
  const service = { name: "echo", actions: { echo: ({ params }) => params.body } };
  await startMoleculer({ url, nodeID: "server", namespace: queue, service });
}

/** Its bodies are JSON: a text of the same size. */
export async function connect({ url, queue }) {
  const broker = await startMoleculer({ url, nodeID: "client", namespace: queue });
  await broker.waitForServices("echo", 20_000);
  return { call: (body) => broker.call("echo.echo", { body: body.toString("latin1") }), close: () => broker.stop() };
}
