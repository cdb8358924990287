// The lock of a login in a file: of a process that died it is taken away, and by one of many at once.

import { readdirSync, utimesSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { createFileCredentials } from '../src/file-credentials.ts'

/** So many that a lock which is taken away in two steps lets two in at once in several of them. */
const RACES = 80
const RACES_AT_A_TIME = 6
const RIVALS = 4
/** How often whoever is in looks whether the lock is still his. */
const LOOKS = 20

function openStale(t: Test, names: readonly string[]) {
  const dir = t.testdir(Object.fromEntries(names.map((name) => [name, 'somebody'])))
  const longAgo = new Date(Date.now() - 120_000)
  for (const name of names) utimesSync(join(dir, name), longAgo, longAgo)
  return dir
}

/** What each of them saw in the lock while he was in. */
async function race(path: string): Promise<string[][]> {
  const lookOn = async () => {
    const seen: string[] = []
    for (let i = 0; i < LOOKS; i += 1) {
      seen.push(await readFile(`${path}.lock`, 'utf8').catch(() => 'nothing'))
    }
    return seen
  }
  const rivals = Array.from({ length: RIVALS }, () => createFileCredentials(path))
  return await Promise.all(rivals.map(async (rival) => (await rival.exclusively?.(lookOn)) ?? []))
}

test('the lock of a process that died is not waited for, and one at a time has it', async (t) => {
  const names = Array.from({ length: RACES }, (_, i) => `${i}.json`)
  const locks = names.map((name) => `${name}.lock`)
  const dir = openStale(t, locks)
  const inside: string[][] = []
  const run = async () => {
    for (let name = names.pop(); name; name = names.pop()) {
      inside.push(...(await race(join(dir, name))))
    }
  }
  await Promise.all(Array.from({ length: RACES_AT_A_TIME }, run))
  const holders = inside.map((seen) => [...new Set(seen)].join())
  t.equal(new Set(holders).size, RACES * RIVALS, 'each sees his own')
  t.strictSame(
    holders.filter((holder) => holder.length !== 36),
    [],
    'all the time',
  )
  t.strictSame(readdirSync(dir), [], 'and nothing is left behind')
})

test('nor is one that died while it took such a lock away', async (t) => {
  const dir = openStale(t, ['one.json.lock', 'one.json.lock.old'])
  const credentials = createFileCredentials(join(dir, 'one.json'))
  t.equal(await credentials.exclusively?.(async () => 'done'), 'done')
  t.strictSame(readdirSync(dir), [])
})

test('a lock that cannot be made is an error at once', async (t) => {
  const credentials = createFileCredentials(join(t.testdir({}), 'nowhere', 'one.json'))
  const failed = async () => await credentials.exclusively?.(async () => {})
  await t.rejects(failed(), { code: 'credentials', cause: { code: 'ENOENT' } })
})
