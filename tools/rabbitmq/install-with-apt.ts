import { runCommand } from "../process/run-command.js";

const INSTALL_SECONDS = 480;

/**
 * Runs as root. The lock lets installations of several test runs wait for each other, so that the one policy-rc.d is
 * ours alone; it keeps the package from starting its service, and one that was there before stays.
 */
const SCRIPT = `
set -e
export DEBIAN_FRONTEND=noninteractive
mkdir -p /run/lock
exec 9>/run/lock/fairlead-install.lock
flock -w ${INSTALL_SECONDS} 9
policy=/usr/sbin/policy-rc.d
mark='# fairlead: no service starts while it installs RabbitMQ'
if [ ! -e "$policy" ] || grep -qxF "$mark" "$policy"; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  printf '#!/bin/sh\\n%s\\nexit 101\\n' "$mark" > "$policy"
  chmod 755 "$policy"
fi
# Another program may hold apt's lock on the lists for a while.
tries=0
until timeout 120 apt-get -qq update; do
  tries=$((tries + 1))
  [ "$tries" -lt 5 ] || break
  sleep 3
done
timeout ${INSTALL_SECONDS} apt-get -qq -y -o DPkg::Lock::Timeout=${INSTALL_SECONDS} install --no-install-recommends rabbitmq-server
`;

/** Undefined when it is installed, otherwise why not. Bounded in time. */
export async function installWithApt(sudo: boolean): Promise<string | undefined> {
  process.stderr.write(
    "RabbitMQ is not installed: installing rabbitmq-server with apt-get now (its service is not started)\n",
  );
  const [file, ...leading] = sudo ? ["sudo", "-n", "sh"] : ["sh"];
  const result = await runCommand(file ?? "sh", [...leading, "-c", SCRIPT], {
    timeoutMs: (INSTALL_SECONDS + 60) * 1_000,
  });
  if (result.exitCode === 0) return undefined;
  const lastLines = result.stderr.trim().split("\n").slice(-3).join(" / ");
  const end = result.timedOut ? "it took too long" : `apt-get ended with ${result.exitCode ?? "a signal"}`;
  return lastLines === "" ? end : `${end}: ${lastLines}`;
}
