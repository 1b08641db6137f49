import amqp from "amqplib";

/** What a cell may leave on the broker: Fairlead's queues are there until somebody deletes them. */
const LEFT_BEHIND = ["", ".dead", ".bulk", ".standard", ".expedite"];

/** Deletes what the subjects have made under this name; what is not there does no harm. */
export async function removeQueues(/** @type {string} */ url, /** @type {string} */ name) {
  const connection = await amqp.connect(url);
  const channel = await connection.createChannel();
  for (const suffix of LEFT_BEHIND) await channel.deleteQueue(`${name}${suffix}`);
  await connection.close();
}
