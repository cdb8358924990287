// Puts the Lua scripts beside the compiled code: the compiler leaves them behind.

import { cpSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

for (const path of readdirSync(join(root, 'src'), { recursive: true })) {
  if (path.endsWith('.lua')) cpSync(join(root, 'src', path), join(root, 'dist', path))
}
