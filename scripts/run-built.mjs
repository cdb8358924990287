// `node scripts/run-built.mjs test/crash/main.ts --rounds 10`: one program of the tests as built JavaScript, as
// scripts/test.mjs runs the test files, so that the many processes it starts begin sooner.

import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findStorageDir } from './storage-dir.mjs'
import { buildTests } from './test-build.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [program, ...args] = process.argv.slice(2)
const built = await buildTests(root)
const nodeArgs = ['--enable-source-maps']
const env = {
  ...process.env,
  TEST_BUILD: built,
  TEST_NODE_ARGS: nodeArgs.join(' '),
  TEST_STORAGE_DIR: process.env.TEST_STORAGE_DIR ?? findStorageDir(),
}
const script = join(built, program.replace(/\.ts$/, '.js'))
const child = spawn(process.execPath, [...nodeArgs, script, ...args], {
  cwd: root,
  env,
  stdio: 'inherit',
})
child.once('exit', (code) => {
  process.exitCode = code ?? 1
})
