// `npm run build`, which `npm start` runs first: makes a build where there is none of the present
// sources, and says why when it cannot.

import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from './builds.mjs'

await build(dirname(dirname(fileURLToPath(import.meta.url)))).catch((error) => {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
})
