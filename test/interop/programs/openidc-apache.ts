// Apache with mod_auth_openidc, both of Debian, with the settings that docs/integrations.md shows; behind
// it an API that says which headers have reached it.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { findFreePort } from '../../../src/embedded/free-port.ts'
import { API, type Scene } from '../../scenes/integration-scene.ts'
import { fillIn, readBlocks } from '../../support/documented.ts'
import { makeServerDir } from '../../support/temp-dir.ts'
import { until } from '../../support/until.ts'
import { requirePrograms } from '../gateways/debian-package.ts'

/** Its heading in docs/integrations.md. */
export const PROGRAM = 'mod_auth_openidc'

const MODULES = '/usr/lib/apache2/modules'
const APACHE = requirePrograms({
  'apache2-bin': '/usr/sbin/apache2',
  'libapache2-mod-auth-openidc': `${MODULES}/mod_auth_openidc.so`,
})

const SERVER = `
${[
  'mpm_event',
  'authn_core',
  'authz_core',
  'authz_user',
  'headers',
  'proxy',
  'proxy_http',
  'auth_openidc',
]
  .map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`)
  .join('\n')}
ServerName 127.0.0.1
PidFile apache.pid
DefaultRuntimeDir .
ErrorLog error.log
LogLevel warn auth_openidc:info
User www-data
Group www-data
OIDCCABundlePath ca.pem
RequestHeader set X-Remote-User "expr=%{REMOTE_USER}"
`

/** As `lineage keys export --pem --json` has it. */
export interface ExportedKey {
  readonly kid: string
  readonly pem: string
}

export interface ApacheOptions {
  readonly scene: Pick<Scene, 'issuer'>
  /** What the certificate of the issuer is trusted by. */
  readonly certificate: string
  /** What asks /introspect; without one the JWKS is fetched. */
  readonly introspector?: { readonly id: string; readonly secret: string }
  /** Public keys in files, in place of the JWKS. */
  readonly keys?: readonly ExportedKey[]
  /** Changes of the lines of the document. */
  readonly changes?: Readonly<Record<string, string>>
}

export interface Shown {
  readonly status: number
  readonly challenge: string | null
  /** What has reached the API, or nothing. */
  readonly headers: Readonly<Record<string, string>>
}

export interface Apache {
  show(token?: string): Promise<Shown>
  /** What it has said so far. */
  log(): string
}

/** Ends with the test. */
export async function startApache(t: Test, options: ApacheOptions): Promise<Apache> {
  const dir = makeServerDir()
  const port = await findFreePort()
  const log = () => readFileSync(join(dir, 'error.log'), 'utf8')
  writeFileSync(join(dir, 'ca.pem'), options.certificate)
  for (const { kid, pem } of options.keys ?? []) writeFileSync(join(dir, `${kid}.pem`), pem)
  const pass = `ProxyPass "/notes" "http://127.0.0.1:${await startApi(t)}/notes"`
  const lines = [SERVER, `Listen 127.0.0.1:${port}`, settings(options, dir), pass]
  writeFileSync(join(dir, 'httpd.conf'), `${lines.join('\n')}\n`)
  const child = spawn(APACHE, ['-d', dir, '-f', 'httpd.conf', '-D', 'FOREGROUND'], {
    env: { PATH: process.env.PATH, NOTES_API_SECRET: options.introspector?.secret },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGTERM')
    await exited
  })
  const ask = (headers: Record<string, string>) =>
    fetch(`http://127.0.0.1:${port}/notes/1`, { headers })
  await until('Apache answers', () => {
    const end = child.exitCode ?? child.signalCode
    if (end !== null) throw new Error(`Apache has ended: ${end}`)
    return ask({}).catch(() => false as const)
  })
  return {
    log,
    async show(token) {
      const answer = await ask(token === undefined ? {} : { authorization: `Bearer ${token}` })
      const body = await answer.text()
      return {
        status: answer.status,
        challenge: answer.headers.get('www-authenticate'),
        headers: answer.status === 200 ? JSON.parse(body) : {},
      }
    },
  }
}

/** The blocks of the document, with the addresses of the test. */
function settings(options: ApacheOptions, dir: string): string {
  const { scene, introspector, keys, changes = {} } = options
  const [offline = '', online = '', files = ''] = readBlocks(PROGRAM, 'apache')
  const uri = 'OIDCOAuthVerifyJwksUri https://auth.example.com/.well-known/jwks.json\n'
  const other = introspector ? online : keys && files
  return fillIn(other === undefined ? offline : other + fillIn(offline, { [uri]: '' }), {
    'https://auth.example.com': scene.issuer,
    'https://notes.example.com': API,
    ...(introspector && { 'notes-api': introspector.id }),
    ...(keys && {
      'KID#/etc/apache2/KID.pem': keys.map(({ kid }) => `${kid}#${dir}/${kid}.pem`).join(' '),
    }),
    ...changes,
  })
}

async function startApi(t: Test): Promise<number> {
  const api = createServer(({ headers }, answer) => answer.end(JSON.stringify(headers)))
  api.listen(0, '127.0.0.1')
  await once(api, 'listening')
  t.teardown(() => {
    api.closeAllConnections()
    api.close()
  })
  return (api.address() as AddressInfo).port
}
