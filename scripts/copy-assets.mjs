// Puts what the service reads at run time beside the compiled code: the compiler leaves it behind.

import { cpSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

for (const path of readdirSync(join(root, 'src'), { recursive: true })) {
  if (/\.(lua|css|svg|json|html)$/.test(path))
    cpSync(join(root, 'src', path), join(root, 'dist', path))
}
