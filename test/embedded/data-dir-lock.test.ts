// Proves that a data directory has one service at a time, and none that is dead.

import { chmodSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { holdDataDir } from '../../src/embedded/data-dir-lock.ts'
import { processStartTime } from '../../src/embedded/process-identity.ts'
import { StartError } from '../../src/runtime/start-error.ts'
import { runEmbeddedChild } from '../support/embedded-process.ts'

test('makes a private directory and leaves nothing in it when released', async (t) => {
  const dataDir = join(t.testdir(), 'a/b')
  const held = await holdDataDir(dataDir)
  t.equal(statSync(dataDir).mode & 0o777, 0o700)
  t.equal(readdirSync(dataDir).length, 1)
  await held.release()
  t.same(readdirSync(dataDir), [])
})

test('refuses a directory that another process holds, in one line', async (t) => {
  const dataDir = t.testdir()
  const other = await runEmbeddedChild(t, { dataDir, lockOnly: true })
  await t.rejects(holdDataDir(dataDir), {
    name: 'StartError',
    message: new RegExp(`^the data directory .* is in use by process ${other.pid}$`),
  })
  t.equal(readdirSync(dataDir).length, 1, 'the refused one leaves no lock')
  await other.end()
  await (await holdDataDir(dataDir)).release()
})

test('takes over from a process that was killed', async (t) => {
  const dataDir = t.testdir()
  const other = await runEmbeddedChild(t, { dataDir, lockOnly: true })
  await other.kill()
  t.equal(readdirSync(dataDir).length, 1, 'its lock is still there')
  const held = await holdDataDir(dataDir)
  t.equal(readdirSync(dataDir).length, 1, 'and gone now')
  await held.release()
})

const noStartTimes = processStartTime(process.pid) === '0' && 'there is no /proc here'

test('takes over when the holder has the number of a dead one', {
  skip: noStartTimes,
}, async (t) => {
  const dataDir = t.testdir({ [`lock.${process.ppid}.1`]: '' })
  const held = await holdDataDir(dataDir)
  t.equal(readdirSync(dataDir).length, 1)
  await held.release()
})

test('gives the directory to exactly one of two that start at once', async (t) => {
  const dataDir = t.testdir()
  const all = await Promise.all([1, 2].map(() => runEmbeddedChild(t, { dataDir, lockOnly: true })))
  t.equal(all.filter(({ error }) => error === undefined).length, 1)
  t.match(all.find(({ error }) => error)?.error, /is in use by process \d+$/)
})

test('refuses a file in place of the directory', async (t) => {
  const dir = t.testdir({ file: '' })
  for (const path of ['file', 'file/below']) {
    await t.rejects(holdDataDir(join(dir, path)), {
      name: 'StartError',
      message: `the data directory ${join(dir, path)} is not a directory`,
    })
  }
})

test('refuses a directory that it may not write to', async (t) => {
  const dir = t.testdir({ closed: {} })
  const closed = join(dir, 'closed')
  chmodSync(closed, 0o555)
  const restore = becomeNobody()
  try {
    for (const path of [closed, join(closed, 'new')]) {
      const refusal = await holdDataDir(path).catch((error: unknown) => error)
      t.type(refusal, StartError)
      t.match(String(refusal), /the data directory .* is not writable \(EACCES\)$/)
    }
  } finally {
    restore()
  }
})

/** Root may write anywhere. */
function becomeNobody(): () => void {
  if (process.geteuid?.() !== 0) return () => {}
  process.seteuid?.('nobody')
  return () => process.seteuid?.(0)
}

test('never takes other files for locks', async (t) => {
  const dataDir = t.testdir()
  writeFileSync(join(dataDir, `lock.${process.ppid}`), '')
  const held = await holdDataDir(dataDir)
  await held.release()
  t.same(readdirSync(dataDir), [`lock.${process.ppid}`])
})
