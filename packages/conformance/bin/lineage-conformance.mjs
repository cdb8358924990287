#!/usr/bin/env node
// The process of the command `lineage-conformance`. Its sources are TypeScript and run as they are,
// so that nothing has to be built before the suite can be used.

import { tsImport } from 'tsx/esm/api'

// Whoever reads us may have read enough, as `| head` has.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})
// And there is nobody to tell of it.
process.stderr.on('error', () => {})

const { runCommandLine } = await tsImport('../src/command-line.ts', import.meta.url)
const { stdin, stdout, stderr } = process
process.exitCode = await runCommandLine(process.argv.slice(2), { stdin, stdout, stderr })
