const PREFIX = "amq.rabbitmq.reply-to";

/**
 * Whether the broker takes what is sent there, or asked of it, for its direct reply-to, which is not made use of here. What
 * follows the prefix it decodes as it comes: anything but its own makes it cut the whole connection.
 */
export function isDirectReplyTo(name: string): boolean {
  return name.startsWith(PREFIX);
}
