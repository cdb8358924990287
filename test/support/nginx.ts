// nginx with one of the configurations in deploy/nginx, over real TLS, on free ports. Only addresses
// are replaced in the file, and what a test adds.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { requirePrograms } from '../interop/gateways/debian-package.ts'
import { callerWith, makeServerCertificate } from '../scenes/tls-scene.ts'
import type { Scope } from './scope.ts'
import { makeServerDir } from './temp-dir.ts'
import { until } from './until.ts'

const CONFIGURATIONS = join(import.meta.dirname, '../../deploy/nginx')

export interface NginxOptions {
  /** The name of a file in deploy/nginx. */
  readonly configuration: string
  /** Each of which must be found in it. */
  readonly replace: Readonly<Record<string, string>>
  /** Put beside it, by their names. */
  readonly files?: Readonly<Record<string, string>>
}

export interface Nginx {
  readonly port: number
  /** Without a trailing slash. */
  readonly url: string
  /** Where its files are. */
  readonly dir: string
}

/** Starts it and waits until Lineage answers through it. */
export async function startNginx(
  t: Scope,
  { configuration, replace, files = {} }: NginxOptions,
): Promise<Nginx> {
  const program = requirePrograms({ nginx: '/usr/sbin/nginx' })
  const dir = makeServerDir()
  const port = await findFreePort()
  let text = readFileSync(join(CONFIGURATIONS, configuration), 'utf8')
  for (const [from, to] of Object.entries({ '127.0.0.1:8443': `127.0.0.1:${port}`, ...replace })) {
    if (!text.includes(from)) throw new Error(`not in ${configuration}: ${from}`)
    text = text.replaceAll(from, to)
  }
  const server = makeServerCertificate()
  const all = { 'nginx.conf': text, 'tls.crt': server.cert, 'tls.key': server.key, ...files }
  for (const [name, content] of Object.entries(all)) writeFileSync(join(dir, name), content)
  const args = ['-p', dir, '-e', 'error.log', '-c', 'nginx.conf', '-g', 'daemon off;']
  const child = spawn(program, args, { stdio: 'inherit' })
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGTERM')
    await exited
  })
  const url = `https://127.0.0.1:${port}`
  const ask = callerWith()
  await until('nginx', () =>
    ask(`${url}/livez`).then(
      ({ status }) => status === 200,
      () => false,
    ),
  )
  return { port, url, dir }
}
