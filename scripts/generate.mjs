// `npm run generate`, which every script that reads src/generated/ runs first.

import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generate } from './generated-code.mjs'

await generate(dirname(dirname(fileURLToPath(import.meta.url)))).catch((error) => {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
})
