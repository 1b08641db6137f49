import type { WireDelivery, WireSettlement } from "../../src/driver/driver.js";
import type { MessageHeaders } from "../../src/ports/message.js";

export interface ScriptedDelivery extends WireDelivery {
  readonly settlements: WireSettlement[];
}

/** A delivery that notes how it is settled, and says that the settlement reached the broker. */
export function scriptedDelivery(
  messageId: string,
  headers: MessageHeaders = {},
  deliveries: number | undefined = 1,
): ScriptedDelivery {
  const settlements: WireSettlement[] = [];
  return {
    message: {
      messageId,
      headers,
      contentType: "application/octet-stream",
      body: new Uint8Array(1),
      timestamp: 0,
      persistent: true,
    },
    deliveries,
    redelivered: deliveries !== 1,
    settlements,
    settle: async (settlement) => {
      settlements.push(settlement);
      return true;
    },
  };
}
