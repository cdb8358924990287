// How what the tests run comes on the machine when it is not there yet: from Debian, where we may.
// Test files run side by side, and apt-get does one thing at a time: one of them installs, the others
// wait for it. Nothing that is installed is started.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const WAIT_SECONDS = 300
/** When the lists of packages were last fetched, which a dozen files of a run need once. */
const UPDATED = join(tmpdir(), 'lineage-apt.updated')

/** Debian starts a service that it installs, unless the policy file says no (invoke-rc.d(8)). */
const SCRIPT = `
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\\nexit 101\\n' > "$policy" && chmod 755 "$policy"
fi
stamp=$1
shift
if [ -z "$(find "$stamp" -mmin -60 2>/dev/null)" ]; then
  apt-get -qq update >/dev/null && touch "$stamp"
fi
apt-get -qq -o DPkg::Lock::Timeout=${WAIT_SECONDS} install -y --no-install-recommends "$@" >/dev/null
`

/** Does nothing where nobody may install; whether it was any use, the caller looks. */
export function installDebianPackages(names: readonly string[]): void {
  if (names.length === 0 || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return
  const lock = ['-w', String(WAIT_SECONDS), join(tmpdir(), 'lineage-apt.lock')]
  spawnSync('flock', [...lock, 'sh', '-c', SCRIPT, 'sh', UPDATED, ...names], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
}
