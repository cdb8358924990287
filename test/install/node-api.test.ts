// The Node-API that a prebuilt library asks for is one that the oldest Node we promise has: any
// other ends the process there without a word. Read from the file, so that any Node can tell.

import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'tap'

const ROOT = join(import.meta.dirname, '../..')

/** `process.versions.napi` of the oldest Node in `engines`. */
const OLDEST = { engines: '>=20.19', nodeApi: 9 }

const PACKAGES = ['argon2', 'bcrypt']
/** Node takes a library that names no Node-API for one of this. */
const NAMELESS = 8

const DYNAMIC_SYMBOLS = 11
const SYMBOL_BYTES = 24

test('native packages ask for no newer Node-API than the oldest Node in `engines` has', async (t) => {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    engines: { node: string }
  }
  t.equal(engines.node, OLDEST.engines, 'else look up what the oldest one has')
  for (const name of PACKAGES) {
    const home = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
    const dir = join(home, 'prebuilds/linux-x64')
    const libraries = readdirSync(dir)
    t.equal(libraries.length, 2, `${name} for glibc and for musl`)
    for (const library of libraries) {
      const wanted = readNodeApi(readFileSync(join(dir, library)))
      t.ok(wanted >= 8 && wanted <= OLDEST.nodeApi, `${name} ${library} asks for ${wanted}`)
    }
  }
})

/** What its function for that returns: `mov eax, <version>; ret` (ELF, 64 bit, x86). */
function readNodeApi(library: Buffer): number {
  const sections = sectionsOf(library)
  const symbols = sections.find(({ type }) => type === DYNAMIC_SYMBOLS)
  if (!symbols) throw new Error('no symbols')
  const names = sections[symbols.link]?.offset ?? 0
  for (let at = symbols.offset; at < symbols.offset + symbols.size; at += SYMBOL_BYTES) {
    const from = names + library.readUInt32LE(at)
    const name = library.toString('latin1', from, library.indexOf(0, from))
    if (name !== 'node_api_module_get_api_version_v1') continue
    const home = sections[library.readUInt16LE(at + 6)]
    const start = Number(library.readBigUInt64LE(at + 8)) - (home?.address ?? 0)
    const code = library.subarray((home?.offset ?? 0) + start).subarray(0, 16)
    const move = code.indexOf(0xb8)
    if (move < 0 || code[move + 5] !== 0xc3)
      throw new Error(`not understood: ${code.toString('hex')}`)
    return code.readUInt32LE(move + 1)
  }
  return NAMELESS
}

function sectionsOf(library: Buffer) {
  const table = Number(library.readBigUInt64LE(0x28))
  const [size, count] = [library.readUInt16LE(0x3a), library.readUInt16LE(0x3c)]
  return Array.from({ length: count }, (_, index) => {
    const at = table + index * size
    const [address, offset, bytes] = [0x10, 0x18, 0x20].map((member) =>
      Number(library.readBigUInt64LE(at + member)),
    )
    return {
      type: library.readUInt32LE(at + 4),
      link: library.readUInt32LE(at + 0x28),
      address: address ?? 0,
      offset: offset ?? 0,
      size: bytes ?? 0,
    }
  })
}
