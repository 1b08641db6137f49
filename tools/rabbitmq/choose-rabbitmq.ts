/** What matters of a machine for running RabbitMQ on it. */
export interface Machine {
  /** The folder that holds both `rabbitmq-server` and `rabbitmqctl`, with wrappers resolved. */
  readonly serverDirectory?: string | undefined;
  /** Debian, Ubuntu or a relative of theirs, with `apt-get`. */
  readonly debian: boolean;
  readonly root: boolean;
  /** `sudo` works without a password. */
  readonly passwordlessSudo: boolean;
  readonly docker: "running" | "no engine" | "absent";
  /** Why an installation that was tried did not work. */
  readonly installFailure?: string | undefined;
}

export type RabbitmqChoice =
  | { readonly kind: "native"; readonly serverDirectory: string }
  | { readonly kind: "install"; readonly sudo: boolean }
  | { readonly kind: "docker" }
  | { readonly kind: "none"; readonly message: string };

/** The first way that this machine offers: what is installed, then an installation, then Docker. */
export function chooseRabbitmq(machine: Machine): RabbitmqChoice {
  if (machine.serverDirectory !== undefined) return { kind: "native", serverDirectory: machine.serverDirectory };
  if (machine.installFailure === undefined && machine.debian && (machine.root || machine.passwordlessSudo)) {
    return { kind: "install", sudo: !machine.root };
  }
  if (machine.docker === "running") return { kind: "docker" };
  return { kind: "none", message: explainNone(machine) };
}

function explainNone(machine: Machine): string {
  const apt = !machine.debian
    ? "this machine is neither"
    : machine.installFailure === undefined
      ? "this user is not root and has no password-less sudo"
      : `the installation failed: ${machine.installFailure}`;
  const docker = machine.docker === "absent" ? "docker is not installed" : "docker is installed, but no engine answers";
  return [
    "no RabbitMQ could be found or installed. One of these ways helps:",
    "  1. install RabbitMQ 3.10 or newer, so that rabbitmq-server is on the PATH (not found now)",
    `  2. on Debian or Ubuntu, run as root or with password-less sudo, and it is installed with apt-get (${apt})`,
    `  3. start a Docker engine (${docker})`,
  ].join("\n");
}
