// `npm run sbom`: writes what the service is made of as CycloneDX into .build/sbom/, all packages of the lock
// file and those alone that the image has, and says the hash of each file.

import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeBom, OF_IMAGE } from './sbom-document.ts'

const ROOT = join(import.meta.dirname, '../..')
const OUTPUT = '.build/sbom'
const FILES = { 'lineage.cdx.json': [], 'lineage-image.cdx.json': OF_IMAGE }

mkdirSync(join(ROOT, OUTPUT), { recursive: true })
for (const [name, omitted] of Object.entries(FILES)) {
  const bom = makeBom(ROOT, omitted)
  const text = `${JSON.stringify(bom, undefined, 2)}\n`
  writeFileSync(join(ROOT, OUTPUT, name), text)
  const hash = createHash('sha256').update(text).digest('hex')
  console.log(`${hash}  ${OUTPUT}/${name}  (${bom.components.length} packages)`)
}
