import { inspect } from "node:util";
import type { ServiceError } from "@grpc/grpc-js";

/** Each is found in a text also where only a part of it is quoted. */
export const SECRETS = {
  brokerPassword: "BROKERPW-kq83hd7Zx",
  token: "BEARERTK-m2v9c4Lw8s",
  wrongToken: "WRONGTOK-t7r1x5Bq3d",
  body: "BODYTEXT-p4n6k8Vj2f",
  header: "HEADERVL-w3s5g9Yc1h",
  metadata: "METADATA-z8d2l6Rf4k",
  userToken: "USERTOKN-b5h7j1Nt9m",
  ackToken: "ACKTOKEN-x9f3q7Ps5v",
  searchText: "MALFORMD-c1y4u8Dk6g",
} as const;

/** What of the secrets is in the text: the whole, or enough to be known again. */
export function leaksIn(text: string): string[] {
  return Object.values(SECRETS).filter(
    (secret) => text.includes(secret.slice(0, 8)) || text.includes(secret.slice(-9)),
  );
}

/** All that an error tells: its text, its trailers, its stack and causes. */
export function told(error: unknown): string {
  const { details = "", metadata } = error as Partial<ServiceError>;
  return `${details} ${JSON.stringify(metadata?.getMap() ?? {})} ${inspect(error, { depth: 8, showHidden: false })}`;
}
