// `lineage doctor --url` through a real nginx: deploy/nginx/mtls.conf is right, and each line that people
// often have in its place is named by its finding.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { CERTIFICATE_CLIENT } from '../scenes/certificate-attacks.ts'
import { readFindings, survey } from '../scenes/doctor-report.ts'
import { makeServerCertificate, SERVER_CA } from '../scenes/tls-scene.ts'
import { makeAuthority } from '../support/certificates.ts'
import { runCommand } from '../support/command-line.ts'
import { type LineageProcess, serverEnvironment, startLineage } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { makeServerDir } from '../support/temp-dir.ts'
import { makeCertificate } from '../support/tls-front.ts'
import { until } from '../support/until.ts'
import { requirePrograms } from './gateways/debian-package.ts'

const NGINX = requirePrograms({ nginx: '/usr/sbin/nginx' })
const CONFIGURATION = readFileSync(
  join(import.meta.dirname, '../../deploy/nginx/mtls.conf'),
  'utf8',
)
/** A proxy on another machine: not the address that the caller has. */
const PROXY_IP = '127.0.0.2'

interface Pair {
  readonly cert: string
  readonly key: string
}

interface Wrong {
  /** Instead of the line that begins so. */
  readonly replace?: readonly [start: string, by: string]
  /** Within the location. */
  readonly add?: string
  /** Within the server. */
  readonly inServer?: string
  readonly inHttp?: string
}

async function openScene(t: Test) {
  const port = await findFreePort()
  const url = `https://localhost:${port}`
  const dir = makeServerDir()
  const ca = join(dir, 'server-ca.crt')
  writeFileSync(ca, SERVER_CA.cert)
  const env = {
    ...serverEnvironment((await openTestDatabase(t)).url),
    LINEAGE_ISSUER: url,
    LINEAGE_TRUST_PROXY: PROXY_IP,
    LINEAGE_CLIENT_CERT_HEADER: 'pem:SSL-Client-Cert',
  }
  const service: LineageProcess = await startLineage(t, env)
  return {
    service,
    /** Through an nginx of its own. */
    async examine(wrong: Wrong = {}, server: Pair = makeServerCertificate()) {
      const stop = await startNginx(dir, { port, target: service.port, server, wrong })
      try {
        const trusting = { ...env, NODE_EXTRA_CA_CERTS: ca }
        const args = ['doctor', '--json', '--url', url, '--cert-days', '0']
        const { stdout } = await runCommand(t, trusting, args)
        const found = survey(readFindings(stdout, 'address'))
        // The service of a test has no port of its own for operators.
        const bad = found.bad.filter((one) => !one.endsWith(' operations paths'))
        return { ...found, bad }
      } finally {
        await stop()
      }
    },
  }
}

interface NginxInput {
  readonly port: number
  readonly target: number
  readonly server: Pair
  readonly wrong: Wrong
}

/** Resolves when it answers; the call that it gives stops it. */
async function startNginx(dir: string, input: NginxInput): Promise<() => Promise<void>> {
  const { port, target, server, wrong } = input
  const [start, by] = wrong.replace ?? ['', '']
  const lines = CONFIGURATION.replace('127.0.0.1:8443', `127.0.0.1:${port}`)
    // At another port than 443 the host is told with it.
    .replaceAll('$host', '$http_host')
    .replace('server_name', `${wrong.inServer ?? ''}\nserver_name`)
    .replace('access_log off;', `access_log off;\n${wrong.inHttp ?? ''}`)
    .replace('location / {', `location / {\nproxy_bind ${PROXY_IP};\n${wrong.add ?? ''}`)
    .split('\n')
    .map((line) => (start !== '' && line.trim().startsWith(start) ? by : line))
  const text = lines.join('\n').replaceAll('127.0.0.1:3000', `127.0.0.1:${target}`)
  for (const [name, content] of [
    ['nginx.conf', text],
    ['tls.crt', server.cert],
    ['tls.key', server.key],
    ['client-ca.crt', makeAuthority('Client CA').cert],
  ] as const) {
    writeFileSync(join(dir, name), content)
  }
  const args = ['-p', dir, '-e', 'stderr', '-c', 'nginx.conf', '-g', 'daemon off;']
  const child = spawn(NGINX, args, { stdio: 'inherit' })
  const exited = once(child, 'exit')
  let hasExited = false
  void exited.then(() => {
    hasExited = true
  })
  const stop = async () => {
    child.kill('SIGTERM')
    await exited
  }
  try {
    await until('nginx', () => {
      if (hasExited) throw new Error('nginx does not take this configuration')
      return accepts(port)
    })
  } catch (error) {
    await stop()
    throw error
  }
  return stop
}

/** Whether somebody listens there. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}

test('deploy/nginx/mtls.conf leaves nothing to say', async (t) => {
  const { bad, findings, find } = await (await openScene(t)).examine()
  t.strictSame(bad, [], JSON.stringify(findings, null, 1))
  t.match(find('caller address')?.detail, 'the service sees 127.0.0.1, whatever the caller says')
  t.match(find('told scheme and host')?.detail, /^https:\/\/localhost/)
})

const WRONG: Record<string, [wrong: Wrong, bad: string[]]> = {
  'a path behind proxy_pass': [
    { replace: ['proxy_pass', 'proxy_pass http://127.0.0.1:3000/;'] },
    ['warn path spelling', 'warn told scheme and host'],
  ],
  'a cache of everything': [
    {
      inHttp: 'proxy_cache_path cache keys_zone=all:1m;',
      add: `proxy_cache all; proxy_cache_valid any 1h; proxy_cache_methods GET POST;
        proxy_ignore_headers Cache-Control Expires Set-Cookie Vary;`,
    },
    ['fail cache of tokens'],
  ],
  'a dropped Authorization': [
    { add: 'proxy_set_header Authorization "";' },
    ['fail authorization header', 'fail dpop headers'],
  ],
  expires: [
    { add: 'expires 1d;' },
    ['warn cache of the jwks', 'warn cache of the metadata', 'fail cache of tokens'],
  ],
  'gzip for all': [
    { add: 'gzip on; gzip_types *; gzip_proxied any; gzip_min_length 1;' },
    ['warn compression'],
  ],
  'CORS headers of its own': [
    { add: 'add_header Access-Control-Allow-Origin * always;' },
    ['warn methods'],
  ],
  'small bodies': [{ add: 'client_max_body_size 8k;' }, ['warn bodies']],
  'small headers': [
    { replace: ['large_client_header_buffers', 'large_client_header_buffers 4 2k;'] },
    ['warn large headers'],
  ],
  'pages for errors': [
    {
      add: 'proxy_intercept_errors on; error_page 401 /sorry.html;',
      inServer: 'location = /sorry.html { internal; return 200 "sorry"; }',
    },
    [...['warn error answers', 'warn large headers', 'warn request ids', 'fail cache of tokens']],
  ],
  'no kept connections': [{ add: 'keepalive_timeout 0;' }, ['warn kept connections']],
  'TLS 1.1': [
    {
      replace: ['ssl_protocols', 'ssl_protocols TLSv1.1 TLSv1.2; ssl_ciphers DEFAULT:@SECLEVEL=0;'],
    },
    ['warn tls versions'],
  ],
}

test('each line that is often wrong is named', async (t) => {
  const scene = await openScene(t)
  await scene.service.makeClient({})
  for (const [what, [wrong, expected]] of Object.entries(WRONG)) {
    const { bad, findings } = await scene.examine(wrong)
    // A cache of everything answers many of the questions, by its own.
    const found = what.startsWith('a cache') ? bad.filter((one) => expected.includes(one)) : bad
    t.strictSame(found.toSorted(), expected.toSorted(), `${what}: ${JSON.stringify(findings)}`)
  }
})

test('a certificate that signs itself', async (t) => {
  const own = makeCertificate(t)
  const { find } = await (await openScene(t)).examine({}, own)
  t.match(find('certificate'), { status: 'fail', detail: /SELF_SIGNED/ })
})

test('a caller who says who he is', async (t) => {
  const passing = await openScene(t)
  const believed = await passing.examine({
    replace: [
      'proxy_set_header X-Forwarded-For',
      'proxy_set_header X-Forwarded-For $http_x_forwarded_for;',
    ],
  })
  t.match(believed.find('caller address'), { status: 'fail', detail: /made-up/ })
  const appending = await openScene(t)
  const appended = await appending.examine({
    replace: [
      'proxy_set_header X-Forwarded-For',
      'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
    ],
  })
  t.match(appended.find('caller address'), { status: 'ok' })
})

test('a caller who writes a certificate into the header', async (t) => {
  const scene = await openScene(t)
  await scene.service.makeClient(CERTIFICATE_CLIENT)
  const { find } = await scene.examine({ replace: ['proxy_set_header SSL-Client-Cert', ''] })
  t.match(find('certificate header'), { status: 'fail', detail: /unreadable/ })
})
