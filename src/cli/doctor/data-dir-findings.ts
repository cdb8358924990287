// What `lineage doctor` looks at in the data directory of embedded mode: that it is private, and
// that the disk below it has room.

import { stat, statfs } from 'node:fs/promises'
import { type Finding, fail, ok, skip, warn } from './finding.ts'

const CHECK = 'data directory'
const MIB = 1024 * 1024
const FREE_WARN_MIB = 1_024
const FREE_FAIL_MIB = 64

/** Creates nothing. */
export async function examineDataDir(dataDir: string): Promise<Finding> {
  const found = await stat(dataDir).catch(() => undefined)
  if (!found) return skip(CHECK, `${dataDir} is not there yet: the first start makes it`)
  if (!found.isDirectory()) {
    return fail(CHECK, `${dataDir} is no directory`, 'move it away, or set LINEAGE_DATA_DIR')
  }
  if ((found.mode & 0o077) !== 0) {
    return fail(CHECK, `${dataDir} can be read by others`, `chmod 700 ${dataDir}`)
  }
  const { bavail, bsize } = await statfs(dataDir)
  const freeMib = Math.floor((bavail * bsize) / MIB)
  const detail = `${dataDir}, ${freeMib} MiB free`
  const advice = 'make room: PostgreSQL stops where its disk is full'
  if (freeMib < FREE_FAIL_MIB) return fail(CHECK, detail, advice)
  return freeMib < FREE_WARN_MIB ? warn(CHECK, detail, advice) : ok(CHECK, detail)
}
