import { randomUUID } from "node:crypto";
import { onTestFinished } from "vitest";
import { brokerNode } from "./broker.js";

export interface TestUser {
  readonly username: string;
  readonly password: string;
  changePassword(password: string): Promise<void>;
}

/** A user of the broker who may do everything, until the test ends. */
export async function testUser(password = `password-${randomUUID()}`): Promise<TestUser> {
  const username = `user-${randomUUID()}`;
  const node = brokerNode();
  await node.control("add_user", username, password);
  onTestFinished(async () => {
    await node.control("delete_user", username);
  });
  await node.control("set_permissions", username, ".*", ".*", ".*");
  return {
    username,
    password,
    async changePassword(changed) {
      await node.control("change_password", username, changed);
    },
  };
}
