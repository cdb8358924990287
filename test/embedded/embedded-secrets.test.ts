// Proves that what embedded mode keeps is made once, private, and whole.

import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { loadRootSecret } from '../../src/embedded/embedded-secrets.ts'
import { loadOrMakePrivateFile, writePrivateFile } from '../../src/embedded/private-file.ts'

test('makes a root secret of 32 bytes once and keeps it to itself', async (t) => {
  const dataDir = t.testdir()
  const secret = await loadRootSecret(dataDir)
  t.equal(secret.length, 32)
  t.same(await loadRootSecret(dataDir), secret)
  t.equal(statSync(join(dataDir, 'root-secret')).mode & 0o777, 0o600)
  t.equal(readFileSync(join(dataDir, 'root-secret'), 'utf8'), secret.toString('base64url'))
  t.same(readdirSync(dataDir), ['root-secret'], 'no temporary file is left')
  t.not((await loadRootSecret(t.testdir({ other: {} }))).equals(secret), 'it is random')
})

test('refuses a kept secret that is not whole, and does not repeat it', async (t) => {
  const dataDir = t.testdir({ 'root-secret': 'c2VjcmV0' })
  const refusal = await loadRootSecret(dataDir).catch((error: unknown) => error)
  t.match(refusal, { name: 'StartError', message: /root-secret does not hold 32 bytes/ })
  t.notMatch(String(refusal), /c2VjcmV0/)
})

test('gives one content to all that make a file at once', async (t) => {
  const path = join(t.testdir(), 'file')
  const all = ['a', 'b', 'c', 'd'].map((text) => loadOrMakePrivateFile(path, () => text))
  t.equal(new Set(await Promise.all(all)).size, 1)
})

test('replaces a file in one step and takes it from others', async (t) => {
  const path = join(t.testdir(), 'file')
  writeFileSync(path, 'old and open', { mode: 0o644 })
  await writePrivateFile(path, 'new')
  t.equal(readFileSync(path, 'utf8'), 'new')
  t.equal(statSync(path).mode & 0o777, 0o600)
})
