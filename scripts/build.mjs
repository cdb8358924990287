// `npm run build`, which `npm start` runs first: makes a build where there is none of the present
// sources, of the service and of the packages beside it, and says why when it cannot.

import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildPackages } from './build-packages.mjs'
import { build } from './builds.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
try {
  await build(root)
  buildPackages(root)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
