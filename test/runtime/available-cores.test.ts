// The cores of this process: those of the machine, or the quota of its container if that is less.

import { availableParallelism } from 'node:os'
import { test } from 'tap'
import { availableCores } from '../../src/runtime/available-cores.ts'

const V1 = '/sys/fs/cgroup/cpu/cpu.cfs'

function coresWith(files: Record<string, string>): number {
  return availableCores((path) => {
    const text = files[path]
    if (text === undefined) throw new Error('ENOENT')
    return text
  })
}

test('a quota counts in whole cores, and no quota is none', async (t) => {
  const all = availableParallelism()
  t.equal(coresWith({}), all)
  t.equal(coresWith({ '/sys/fs/cgroup/cpu.max': 'max 100000\n' }), all)
  t.equal(coresWith({ '/sys/fs/cgroup/cpu.max': '99900000 100000\n' }), all)
  t.equal(coresWith({ '/sys/fs/cgroup/cpu.max': '190000 100000\n' }), 1)
  t.equal(coresWith({ '/sys/fs/cgroup/cpu.max': '20000 100000\n' }), 1, 'one at least')
  t.equal(coresWith({ [`${V1}_quota_us`]: '-1\n', [`${V1}_period_us`]: '100000\n' }), all)
  t.equal(coresWith({ [`${V1}_quota_us`]: '150000\n', [`${V1}_period_us`]: '100000\n' }), 1)
  t.equal(coresWith({ '/sys/fs/cgroup/cpu.max': 'nonsense' }), all)
})
