// A process whose wall clock is wrong, and can be set while it runs: libfaketime, from Debian.

import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { installDebianPackages } from './debian-packages.ts'
import { makeServerDir } from './temp-dir.ts'

export interface WrongClock {
  /** What the process is started with. */
  readonly env: Readonly<Record<string, string>>
  /** The process sees it a second later at most. */
  setTo(offsetSeconds: number): void
}

/** Its monotonic clock stays right, as it does on a machine whose clock somebody sets. */
export function openWrongClock(offsetSeconds: number): WrongClock {
  const library = findLibrary()
  const file = join(makeServerDir(), 'offset')
  const setTo = (seconds: number) => writeFileSync(file, seconds < 0 ? `${seconds}` : `+${seconds}`)
  setTo(offsetSeconds)
  return {
    setTo,
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
  }
}

function findLibrary(): string {
  if (!find()) installDebianPackages(['libfaketime'])
  const found = find()
  if (!found) throw new Error('this test needs the Debian package libfaketime: install it')
  return found
}

/** Below the directory of the machine's kind. */
function find(): string | undefined {
  return readdirSync('/usr/lib')
    .map((kind) => join('/usr/lib', kind, 'faketime/libfaketimeMT.so.1'))
    .find((path) => existsSync(path))
}
