// How many cores this process may use: those that the system lets it run on, and no more than the
// quota of its container.

import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** Of the control group that the process is in, as a container sees its own: version 2, version 1. */
const QUOTA_V2 = '/sys/fs/cgroup/cpu.max'
const QUOTA_V1 = ['/sys/fs/cgroup/cpu/cpu.cfs_quota_us', '/sys/fs/cgroup/cpu/cpu.cfs_period_us']

/** A quota counts in whole cores, rounded down; the answer is one at least. */
export function availableCores(readFile: (path: string) => string = readText): number {
  const quota = readQuota(readFile)
  return Math.max(1, Math.min(availableParallelism(), Math.floor(quota)))
}

/** In cores; infinite where there is none. */
function readQuota(readFile: (path: string) => string): number {
  for (const read of [
    () => readFile(QUOTA_V2).split(' '),
    () => QUOTA_V1.map((path) => readFile(path)),
  ]) {
    try {
      // `max` and -1 stand for no quota.
      const [quota, period] = read().map(Number)
      if (quota !== undefined && period !== undefined && quota > 0 && period > 0) {
        return quota / period
      }
    } catch {
      // This system has no such file.
    }
  }
  return Number.POSITIVE_INFINITY
}

function readText(path: string): string {
  return readFileSync(path, 'utf8')
}
