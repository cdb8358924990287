// The programs beside Lineage as plain JavaScript: a process that transpiles what it loads would
// hold more memory and start later than one that is run in earnest.

import { join } from 'node:path'
import { build } from 'esbuild'

const ROOT = join(import.meta.dirname, '../..')
const OUTPUT = join(ROOT, '.tap/bench')

export type ProgramName = 'floor' | 'bare-argon2' | 'oidc-provider' | 'node-oauth'

/** Where each program is, once this has resolved. */
export async function buildPrograms(): Promise<(name: ProgramName) => string> {
  const names: ProgramName[] = ['floor', 'bare-argon2', 'oidc-provider', 'node-oauth']
  const outdir = join(OUTPUT, String(process.pid))
  await build({
    entryPoints: names.map((name) => join(ROOT, `bench/programs/${name}.ts`)),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
  })
  return (name) => join(outdir, `${name}.mjs`)
}
