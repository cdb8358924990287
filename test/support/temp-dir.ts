// Temporary directories of servers, which go even when the test file is killed.

import { spawn } from 'node:child_process'
import { accessSync, chmodSync, constants, mkdtempSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Waits for the end of our process, then for the servers in the directory to be done with it.
const JANITOR = `
cat >/dev/null
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  sleep 0.5
  rm -rf -- "$1" && exit 0
done`

/** Linux keeps it in memory; programs may be forbidden to run from it. */
const MEMORY_DIR = '/dev/shm'
/** Databases are copied and dropped all the time; containers give 64 MB there by default. */
const MEMORY_MIN_BYTES = 4 * 2 ** 30

/** A directory that others may enter but not write to; removed when this process has ended. */
export function makeServerDir(): string {
  return makeDirIn(tmpdir())
}

/**
 * The same for what a server stores, in memory where there is room for it: to copy a database is many
 * times faster there. What was written outlives the server that wrote it, not the machine.
 */
export function makeStorageDir(): string {
  return makeDirIn(hasRoomInMemory() ? MEMORY_DIR : tmpdir())
}

function hasRoomInMemory(): boolean {
  try {
    accessSync(MEMORY_DIR, constants.W_OK)
    const { bavail, bsize } = statfsSync(MEMORY_DIR)
    return bavail * bsize >= MEMORY_MIN_BYTES
  } catch {
    return false
  }
}

function makeDirIn(parent: string): string {
  const dir = mkdtempSync(join(parent, 'lineage-test-'))
  chmodSync(dir, 0o711)
  const janitor = spawn('/bin/sh', ['-c', JANITOR, 'sh', dir], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  janitor.unref()
  return dir
}
