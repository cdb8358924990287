// Turns openapi.yaml into the JSON that the service reads: parsing YAML takes it most of a second,
// and a parser that nobody else needs at run time.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const contract = parse(readFileSync(join(root, 'openapi.yaml'), 'utf8'))
mkdirSync(join(root, 'src/generated'), { recursive: true })
writeFileSync(join(root, 'src/generated/openapi.json'), JSON.stringify(contract))
