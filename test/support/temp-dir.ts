// Temporary directories of servers, which go even when the test file is killed.

import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Waits for the end of our process, then for the servers in the directory to be done with it.
const JANITOR = `
cat >/dev/null
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  sleep 0.5
  rm -rf -- "$1" && exit 0
done`

/** A directory that others may enter but not write to; removed when this process has ended. */
export function makeServerDir(): string {
  return makeDirIn(tmpdir())
}

/** The same for what a server stores, which a run of the tests keeps in memory (scripts/storage-dir.mjs). */
export function makeStorageDir(): string {
  return makeDirIn(process.env.TEST_STORAGE_DIR ?? tmpdir())
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
