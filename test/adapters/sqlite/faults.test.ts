import { randomBytes } from "node:crypto";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished } from "vitest";
import { sqliteDriver } from "../../../adapters/sqlite/index.js";
import { message, newFile, ORDERS, openNode, settle, toOrders, until } from "./node.js";

describe("a file that cannot be used", () => {
  it("because it is no database is refused, and left as it is", async () => {
    const file = newFile();
    const text = randomBytes(10_000);
    writeFileSync(file, text);
    await expect(openNode({ file })).rejects.toMatchObject({
      code: "DATA_LOSS",
      message: expect.stringContaining(`${file}: the file is no SQLite database`),
    });
    expect(readFileSync(file).equals(text)).toBe(true);
  });

  it("because another application made it is refused", async () => {
    const file = newFile();
    const theirs = new Database(file);
    theirs.exec("CREATE TABLE accounts (id INTEGER)");
    theirs.close();
    await expect(openNode({ file })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("another application"),
    });
  });

  it("because a later version wrote it is refused", async () => {
    const file = newFile();
    await (await openNode({ file })).connection.close();
    const later = new Database(file);
    later.pragma("user_version = 99");
    later.close();
    await expect(openNode({ file })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("schema 99"),
    });
  });

  it("because a part of its path is a file, or it is a directory, is refused", async () => {
    const file = newFile();
    writeFileSync(file, "");
    await expect(openNode({ file: join(file, "events.db") })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    mkdirSync(`${file}.d`);
    await expect(openNode({ file: `${file}.d` })).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  });

  it("because it, or its directory, may not be written to is refused", async () => {
    const file = newFile();
    await (await openNode({ file })).connection.close();
    chmodSync(file, 0o444);
    chmodSync(dirname(file), 0o555);
    onTestFinished(() => chmodSync(dirname(file), 0o755));
    // What is forbidden to others is allowed to root.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.("nobody");
    try {
      for (const path of [file, `${file}.other`]) {
        await expect(openNode({ file: path })).rejects.toMatchObject({
          code: "PERMISSION_DENIED",
          message: expect.stringContaining(path),
        });
      }
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  it("because it has two names is refused, for their logs would not be one", async () => {
    const file = newFile();
    await (await openNode({ file })).connection.close();
    linkSync(file, `${file}.other`);
    for (const path of [file, `${file}.other`]) {
      await expect(openNode({ file: path })).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining("hard links"),
      });
    }
  });

  it("because its lock is damaged says which file that is", async () => {
    const file = newFile();
    await (await openNode({ file })).connection.close();
    writeFileSync(`${file}.lock`, randomBytes(4_096));
    await expect(openNode({ file })).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(/events\.db\.lock is damaged.*delete that file/),
    });
    unlinkSync(`${file}.lock`);
    await (await openNode({ file })).publish("one");
  });

  it("because it has no place is refused", async () => {
    await expect(openNode({ file: "/dev/null/fairlead/events.db" })).rejects.toMatchObject({
      message: expect.stringContaining("/dev/null/fairlead/events.db"),
    });
  });

  it("because it is damaged inside loses its connections with DATA_LOSS, and is refused or read again afterwards", async () => {
    const file = newFile();
    const first = await openNode({ file });
    const body = new Uint8Array(2_000).fill(1);
    await Promise.all(
      Array.from({ length: 200 }, (_, index) => first.connection.publish(toOrders, message(`m-${index}`, { body }))),
    );
    await first.connection.close();
    const bytes = readFileSync(file);
    const handle = openSync(file, "r+");
    // Everything behind the first pages, in which the schema is.
    writeSync(handle, Buffer.alloc(bytes.length - 16 * 4_096, 0xff), 0, bytes.length - 16 * 4_096, 16 * 4_096);
    const outcome = await openNode({ file }).then(
      async (node) => {
        await node.take(500).catch(() => undefined);
        await until(() => node.lost.length === 1);
        return sqliteDriver({ file }).toMessagingError(node.lost[0]);
      },
      (error: unknown) => error,
    );
    expect(outcome).toMatchObject({ code: "DATA_LOSS", message: expect.stringContaining(file) });
    truncateSync(file, 0);
  });
});

describe("a disk that is full", () => {
  it("refuses publishes with REJECTED, loses nothing that was stored, and goes on when there is room", async () => {
    const node = await openNode({ file: newFile() });
    const { database } = node.broker;
    const pages = database.query("PRAGMA page_count").first()?.[0] as number;
    database.execute(`PRAGMA max_page_count = ${pages + 40}`);
    const body = new Uint8Array(1_000).fill(1);
    const stored: string[] = [];
    const refusals: unknown[] = [];
    for (let index = 0; refusals.length < 3; index += 1) {
      await node.connection.publish(toOrders, message(`m-${index}`, { body })).then(
        () => stored.push(`m-${index}`),
        (error) => refusals.push(error),
      );
    }
    expect(stored.length).toBeGreaterThan(20);
    for (const refusal of refusals) {
      expect(sqliteDriver({ file: "a.db" }).toMessagingError(refusal)).toMatchObject({
        code: "REJECTED",
        retryable: true,
      });
    }
    expect(node.lost).toEqual([]);
    database.execute("PRAGMA max_page_count = 1000000");
    const taking = await node.take(1_000);
    await until(() => taking.deliveries.length >= stored.length);
    expect(taking.ids()).toEqual(stored);
    await node.publish("goes on");
    await until(() => taking.ids().includes("goes on"));
  });

  it("still takes acknowledgements of what came before, beside publishes that it refuses", async () => {
    const node = await openNode({ file: newFile() });
    const { database } = node.broker;
    const taking = await node.take(30);
    const body = new Uint8Array(3_000).fill(1);
    await Promise.all(
      Array.from({ length: 30 }, (_, index) => node.connection.publish(toOrders, message(`m-${index}`, { body }))),
    );
    await until(() => taking.deliveries.length === 30);
    const pages = database.query("PRAGMA page_count").first()?.[0] as number;
    database.execute(`PRAGMA max_page_count = ${pages}`);
    const large = new Uint8Array(1_000_000);
    const refused = node.connection
      .publish(toOrders, message("large", { body: large }))
      .catch((error: unknown) => error);
    await Promise.all(taking.deliveries.map((delivery) => settle(delivery)));
    expect(sqliteDriver({ file: "a.db" }).toMessagingError(await refused)).toMatchObject({ code: "REJECTED" });
    // Room came with them.
    await node.publish("small");
    await until(() => taking.ids().includes("small"));
    expect(taking.ids().length).toBe(31);
  });
});

describe("a disk that stays full", () => {
  it("takes settlements, though something has expired and has no room", async () => {
    const node = await openNode({ file: newFile() });
    const { database } = node.broker;
    const taking = await node.take(30);
    const other = { name: "other", deadLetterQueue: "other.dead", lanes: false };
    await Promise.all(Array.from({ length: 30 }, (_, index) => node.publish(`m-${index}`)));
    const body = new Uint8Array(3_900);
    const expiring = Array.from({ length: 1_000 }, (_, index) =>
      node.connection.publish({ kind: "queue", queue: other }, message(`e-${index}`, { body, expiresInMs: 60 })),
    );
    await Promise.all(expiring);
    const pages = database.query("PRAGMA page_count").first()?.[0] as number;
    database.execute(`PRAGMA max_page_count = ${pages}`);
    for (let refused = 0; refused < 2; ) {
      await node.connection.publish(toOrders, message("f", { body })).catch(() => {
        refused += 1;
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    const large = message("large", { body: new Uint8Array(1_000_000) });
    for (const delivery of taking.deliveries.slice(0, 10)) {
      const refused = node.connection.publish(toOrders, large).catch(() => undefined);
      await settle(delivery);
      await refused;
    }
    database.execute("PRAGMA max_page_count = 1000000");
  });

  it("leaves to a consumer that was stopped what was to be taken out of its hands", async () => {
    const node = await openNode({ file: newFile() });
    const operator = await openNode({ file: node.broker.file });
    const taking = await node.take(1);
    await node.publish("held");
    await taking.at(0);
    await taking.consumer.stop();
    const { stored } = node.broker;
    const remove = stored.remove.bind(stored);
    stored.remove = (...given) => {
      stored.remove = remove;
      remove(...given);
      throw Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
    };
    await expect(operator.store.remove(ORDERS, { states: ["in-processing"], limit: 5 }, "removed")).rejects.toThrow();
    await node.connection.close();
    expect((await (await operator.take(5)).at(0)).message.messageId).toBe("held");
  });
});

describe("a file that several want", () => {
  it("is shared by a link that leads to nothing yet", async () => {
    const file = newFile();
    const link = join(dirname(file), "link.db");
    symlinkSync("events.db", link);
    const one = await openNode({ file: link });
    const two = await openNode({ file: link });
    const three = await openNode({ file });
    expect([one.broker.file, two.broker === one.broker, three.broker === one.broker]).toEqual([file, true, true]);
    symlinkSync("round.db", join(dirname(file), "round.db"));
    await expect(openNode({ file: join(dirname(file), "round.db") })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });

  it("is shared within the process, whatever name it is called by", async () => {
    const file = newFile();
    const one = await openNode({ file });
    symlinkSync(dirname(file), `${dirname(file)}/link`);
    const two = await openNode({ file: join(dirname(file), "link", "events.db") });
    expect(two.broker).toBe(one.broker);
    await two.publish("one");
    expect((await (await one.take(1)).at(0)).message.messageId).toBe("one");
    await one.connection.close();
    await two.publish("two");
  });

  it("is refused to whoever wants it with other options", async () => {
    const file = newFile();
    await openNode({ file });
    await openNode({ file, maxMessageBytes: 1_000 });
    await expect(openNode({ file, historyMs: 0 })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("other options"),
    });
  });

  it("is made with its directory, and may be opened and closed again and again at once", async () => {
    const file = join(dirname(newFile()), "a", "b", "events.db");
    for (let round = 0; round < 5; round += 1) {
      const nodes = await Promise.all([openNode({ file }), openNode({ file })]);
      const [first, second] = nodes;
      const closing = first?.connection.close();
      const third = openNode({ file });
      await Promise.all([closing, second?.connection.close()]);
      await (await third).publish(`round ${round}`);
      await (await third).connection.close();
    }
    const node = await openNode({ file });
    const taking = await node.take(10);
    await until(() => taking.deliveries.length === 5);
  });
});
