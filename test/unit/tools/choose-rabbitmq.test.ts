import { describe, expect, it } from "vitest";
import { chooseRabbitmq, type Machine } from "../../../tools/rabbitmq/choose-rabbitmq.js";

const BARE: Machine = { debian: false, root: false, passwordlessSudo: false, docker: "absent" };

describe("where RabbitMQ is taken from", () => {
  it("is the machine's own, whatever else there is", () => {
    const machine: Machine = { ...BARE, serverDirectory: "/sbin", debian: true, root: true, docker: "running" };
    expect(chooseRabbitmq(machine)).toEqual({ kind: "native", serverDirectory: "/sbin" });
  });

  it("is an installation on Debian as root, before Docker", () => {
    expect(chooseRabbitmq({ ...BARE, debian: true, root: true, docker: "running" })).toEqual({
      kind: "install",
      sudo: false,
    });
  });

  it("is an installation with sudo on Debian where that asks for no password", () => {
    expect(chooseRabbitmq({ ...BARE, debian: true, passwordlessSudo: true })).toEqual({ kind: "install", sudo: true });
  });

  it("is Docker on Debian where this user may not install", () => {
    expect(chooseRabbitmq({ ...BARE, debian: true, docker: "running" })).toEqual({ kind: "docker" });
  });

  it("is Docker after an installation that failed", () => {
    const machine: Machine = { ...BARE, debian: true, root: true, docker: "running", installFailure: "no network" };
    expect(chooseRabbitmq(machine)).toEqual({ kind: "docker" });
  });

  it("is Docker elsewhere, also for root", () => {
    expect(chooseRabbitmq({ ...BARE, root: true, docker: "running" })).toEqual({ kind: "docker" });
  });

  it.each<[string, Machine, RegExp]>([
    ["nothing of it is there", BARE, /neither\)\n.*docker is not installed/],
    ["Docker has no engine", { ...BARE, docker: "no engine" }, /no engine answers/],
    ["this user may not install", { ...BARE, debian: true }, /not root and has no password-less sudo/],
    ["the installation failed", { ...BARE, debian: true, root: true, installFailure: "no network" }, /no network/],
  ])("is nowhere, with every way listed, when %s", (_, machine, reason) => {
    const choice = chooseRabbitmq(machine);
    if (choice.kind !== "none") throw new Error(`chose ${choice.kind}`);
    expect(choice.message).toMatch(reason);
    for (const way of ["rabbitmq-server", "apt-get", "Docker"]) expect(choice.message).toContain(way);
  });
});
