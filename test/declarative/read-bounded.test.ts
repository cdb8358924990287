// What is named in place of a file: read to its end, or refused, and never waited for without end.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { readBoundedFile } from '../../src/declarative/read-bounded.ts'

const BYTES_MAX = 100_000

function makeFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'lineage-bounded-'))
  t.teardown(() => rm(folder, { recursive: true }))
  return folder
}

function makePipe(t: Test): string {
  const path = join(makeFolder(t), 'pipe')
  execFileSync('mkfifo', [path])
  return path
}

test('a pipe that nobody writes to is refused, and keeps no process from ending', (t) => {
  const path = makePipe(t)
  const module = JSON.stringify(new URL('../../src/declarative/read-bounded.ts', import.meta.url))
  const script = `const { readBoundedFile } = await import(${module})
    console.log(JSON.stringify(await readBoundedFile(${JSON.stringify(path)}, 1000, 1)))`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script]
  const { NODE_OPTIONS: _, ...env } = process.env
  const told = execFileSync(process.execPath, args, { env, encoding: 'utf8' })
  t.strictSame(JSON.parse(told), { fault: 'cannot be read (ETIMEDOUT)' })
  t.end()
})

test('a pipe is read from its first writer to its end', async (t) => {
  const path = makePipe(t)
  const reading = readBoundedFile(path, BYTES_MAX)
  // It is opened as soon as somebody reads.
  const writer = await open(path, 'w')
  await writer.write('one ')
  await writer.write('two')
  await writer.close()
  t.strictSame(await reading, { text: 'one two' })
})

test('files are read whole, others refused', async (t) => {
  const folder = makeFolder(t)
  const path = join(folder, 'large')
  const text = 'é'.repeat(BYTES_MAX / 2)
  writeFileSync(path, text)
  t.strictSame(await readBoundedFile(path, BYTES_MAX), { text })
  const tooLong = { fault: `has more than ${BYTES_MAX - 1} bytes` }
  t.strictSame(await readBoundedFile(path, BYTES_MAX - 1), tooLong)
  t.strictSame(await readBoundedFile('/dev/zero', 10), { fault: 'has more than 10 bytes' })
  t.strictSame(await readBoundedFile('/dev/null', 10), { text: '' })
  t.strictSame(await readBoundedFile(folder, 10), { fault: 'cannot be read (EISDIR)' })
})
