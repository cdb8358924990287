// The packages with compiled code: they load and work as they come, without a compiler and without
// their install scripts; where one does not load, a start ends with one clear line.

import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Test, test } from 'tap'
import { checkNativePackages } from '../../src/runtime/native-packages.ts'
import { sourceArguments } from '../support/source-process.ts'

const ROOT = join(import.meta.dirname, '../..')
const { version, platform, arch } = process
/** Prints a hash by the package; what such a hash begins with. */
const PACKAGES = {
  argon2: [`require('argon2').hash('a passphrase').then(console.log)`, /^\$argon2id\$/],
  bcrypt: [`require('bcrypt').hash('a passphrase', 4).then(console.log)`, /^\$2b\$04\$/],
} as const
const NAMES = ['argon2', 'bcrypt'] as const

interface Locked {
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
}

for (const name of NAMES) {
  test(`${name} hashes as npm installs it: no script, no compiler, no headers`, async (t) => {
    await hashesAsInstalled(t, name)
  })
}

async function hashesAsInstalled(t: Test, name: keyof typeof PACKAGES) {
  const [program, hash] = PACKAGES[name]
  const dir = t.testdir({ bin: {} })
  const locked = closureOf(name)
  const dependencies = { [name]: locked[`node_modules/${name}`]?.version }
  const packages = { '': { dependencies }, ...locked }
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ dependencies }))
  writeFileSync(join(dir, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages }))
  // No PATH but this: neither cc nor make nor python.
  symlinkSync(process.execPath, join(dir, 'bin/node'))
  const env = { PATH: join(dir, 'bin'), HOME: process.env.HOME, npm_config_nodedir: '' }
  const run = (args: readonly string[]) =>
    spawnSync(process.execPath, args, { cwd: dir, env, encoding: 'utf8' })
  const installed = run([findNpm(), 'ci', '--ignore-scripts', '--prefer-offline'])
  t.equal(installed.status, 0, installed.stderr)
  t.notOk(readdirSync(join(dir, 'node_modules', name)).includes('build'), 'nothing was built')
  t.match(run(['-e', program]), { status: 0, stdout: hash })
}

test('what is installed here loads and hashes, and a start finds nothing to say', async (t) => {
  await t.resolves(checkNativePackages(process.env))
  const options = { cwd: ROOT, encoding: 'utf8' } as const
  for (const [program, hash] of Object.values(PACKAGES)) {
    t.match(spawnSync(process.execPath, ['-e', program], options), { stdout: hash })
  }
})

test('a native package that does not load ends every start with one clear line', async (t) => {
  const spoiled = (spoil: (library: Buffer) => Buffer) => {
    const dir = t.testdir({})
    const { name, path } = findPrebuilt()
    mkdirSync(join(dir, 'prebuilds', `${platform}-${arch}`), { recursive: true })
    writeFileSync(join(dir, 'prebuilds', `${platform}-${arch}`, name), spoil(readFileSync(path)))
    return dir
  }
  const cases = {
    'is no library': [() => Buffer.from('<html>not found</html>'), /argon2\S+\.node: /],
    'crashes the process': [withoutCode, /it ends the process \(SIG[A-Z]+\)/],
  } as const
  for (const [what, [spoil, reason]] of Object.entries(cases)) {
    for (const args of [['main.ts'], ['cli.ts', 'serve'], ['cli.ts', 'user', 'sessions', 'ada']]) {
      const run = start(args, spoiled(spoil))
      t.equal(run.status, 1, `${what}: ${args.join(' ')}`)
      t.equal(run.stdout, '')
      t.equal(run.stderr.trim().split('\n').length, 1, run.stderr)
      t.match(run.stderr, `lineage: the package argon2 `)
      t.match(run.stderr, ` does not load on Node.js ${version}, ${platform}-${arch}: `)
      t.match(run.stderr, reason)
    }
  }
})

function start([program = '', ...args]: readonly string[], prebuilt: string) {
  const command = [
    '-u',
    'NODE_OPTIONS',
    process.execPath,
    ...sourceArguments(join(ROOT, 'src', program)),
  ]
  return spawnSync('env', [...command, ...args], {
    // argon2 looks there first.
    env: { PATH: process.env.PATH, ARGON2_PREBUILD: prebuilt },
    cwd: ROOT,
    encoding: 'utf8',
  })
}

/** The same library, each instruction of it an illegal one (ELF, 64 bit, little endian). */
function withoutCode(library: Buffer): Buffer {
  const spoiled = Buffer.from(library)
  const [tableAt, size, count] = [
    Number(library.readBigUInt64LE(0x28)),
    library.readUInt16LE(0x3a),
    library.readUInt16LE(0x3c),
  ]
  for (let at = tableAt; at < tableAt + size * count; at += size) {
    const isCode = (library.readBigUInt64LE(at + 8) & 4n) !== 0n
    const from = Number(library.readBigUInt64LE(at + 0x18))
    if (isCode) spoiled.fill(0, from, from + Number(library.readBigUInt64LE(at + 0x20)))
  }
  return spoiled
}

function findPrebuilt(): { name: string; path: string } {
  const argon2 = dirname(createRequire(import.meta.url).resolve('argon2/package.json'))
  const dir = join(argon2, 'prebuilds', `${platform}-${arch}`)
  const isMusl = !JSON.stringify(process.report?.getReport()).includes('glibcVersionRuntime')
  const name = readdirSync(dir).find((one) => one.includes('musl') === isMusl)
  if (name === undefined) throw new Error('argon2 has nothing for this machine')
  return { name, path: join(dir, name) }
}

/** A package and all below it, as package-lock.json has them. */
function closureOf(name: string): Record<string, Locked> {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>
  }
  const found: Record<string, Locked> = {}
  const paths = [`node_modules/${name}`]
  for (const path of paths) {
    const locked = packages[path]
    if (!locked) throw new Error(`${path} is not in package-lock.json`)
    found[path] = locked
    for (const dependency of Object.keys(locked.dependencies ?? {})) {
      const next = placeOf(dependency, path, packages)
      if (!paths.includes(next)) paths.push(next)
    }
  }
  return found
}

/** As Node looks for it: beside what needs it, then further up. */
function placeOf(name: string, from: string, packages: Record<string, Locked>): string {
  for (let at = from; at !== ''; at = at.slice(0, Math.max(at.lastIndexOf('/node_modules/'), 0))) {
    if (packages[`${at}/node_modules/${name}`]) return `${at}/node_modules/${name}`
  }
  return `node_modules/${name}`
}

function findNpm(): string {
  const path = process.env.npm_execpath
  if (path === undefined) throw new Error('run this by npm test')
  return path
}
