// Proves that PostgreSQL's programs run wherever npm has put them: without the links of its install
// script, where we may not write, and in directories that are private to root.

import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { basename, join } from 'node:path'
import pg from 'pg'
import { test } from 'tap'
import { findPostgresPackage, openPostgresBinaries } from '../../src/embedded/postgres-binaries.ts'
import { startEmbeddedPostgres } from '../../src/embedded/postgres-server.ts'
import { findServerAccount } from '../../src/embedded/server-account.ts'
import { runEmbeddedChild } from '../support/embedded-process.ts'
import { makeServerDir } from '../support/temp-dir.ts'

const isRoot = process.getuid?.() === 0
const isLink = (path: string) => lstatSync(path).isSymbolicLink()
// The server does not run without this one.
const NEEDED_LINK = 'native/lib/libicuuc.so.60'

/** The package as npm leaves it when it runs no install scripts. */
async function copyWithoutLinks(dir: string): Promise<string> {
  const copy = join(dir, basename(findPostgresPackage()))
  const filter = (path: string) => !isLink(path) && !path.endsWith('.a')
  await cp(findPostgresPackage(), copy, { recursive: true, filter })
  return copy
}

async function ask(url: string | undefined): Promise<unknown> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query('SELECT current_user AS name')
  await client.end()
  return rows
}

test('makes the links that are missing in the package', async (t) => {
  const packageDir = await copyWithoutLinks(makeServerDir())
  t.notOk(readdirSync(join(packageDir, 'native/lib')).includes(basename(NEEDED_LINK)))
  const { postgres } = await openPostgresBinaries(join(t.testdir(), 'copy'), undefined, packageDir)
  t.equal(postgres, join(packageDir, 'native/bin/postgres'))
  t.ok(isLink(join(packageDir, NEEDED_LINK)))
})

test('runs without root, from a package without links that it may not write to', async (t) => {
  const account = await findServerAccount()
  const dir = makeServerDir()
  const packageDir = await copyWithoutLinks(dir)
  chmodSync(join(packageDir, 'native/lib'), 0o555)
  const dataDir = join(dir, 'data')
  mkdirSync(dataDir, { mode: 0o700 })
  if (account) chownSync(dataDir, account.uid, account.gid)
  const service = await runEmbeddedChild(t, { dataDir, packageDir }, account)
  t.equal(service.error, undefined)
  t.same(await ask(service.url), [{ name: 'lineage' }])
  const names = readdirSync(dataDir)
  t.ok(names.includes('postgresql'), 'the cluster lies in the data directory')
  const copy = names.find((name) => name.startsWith(`${basename(packageDir)}-`))
  t.ok(copy && isLink(join(dataDir, copy, NEEDED_LINK)), 'and so does a whole copy')
  await service.end()
})

test('as root: starts in directories that are private to root', { skip: !isRoot }, async (t) => {
  const privateDir = makeServerDir()
  chmodSync(privateDir, 0o700)
  const mask = process.umask(0o077)
  t.teardown(() => process.umask(mask))
  const packageDir = await copyWithoutLinks(privateDir)
  const dataDir = join(privateDir, '.lineage')
  mkdirSync(dataDir)
  const rootPlace = makeServerDir()
  const server = await startEmbeddedPostgres({ dataDir, rootPlace, packageDir })
  t.teardown(() => server.stop())
  t.same(await ask(server.url), [{ name: 'lineage' }])
  t.ok(readdirSync(rootPlace).some((name) => name.startsWith(`${basename(packageDir)}-`)))
})

test('says in one line when the programs do not run on this machine', async (t) => {
  const packageDir = t.testdir({
    'package.json': '{"version":"1.0.0"}',
    native: { 'pg-symlinks.json': '[]', bin: { postgres: '', initdb: '' } },
  })
  for (const name of ['postgres', 'initdb']) {
    const path = join(packageDir, 'native/bin', name)
    writeFileSync(path, '#!/bin/sh\necho wrong libc >&2\nexit 127\n')
    chmodSync(path, 0o755)
  }
  await t.rejects(openPostgresBinaries(makeServerDir(), undefined, packageDir), {
    name: 'StartError',
    message: /^the embedded PostgreSQL does not run on this machine: .*wrong libc$/,
  })
})
