// What the READMEs of both packages show first, word for word, in a project that has nothing of this
// repository but the packages as npm packs them: a service that calls an API, both beside a real Lineage.

import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { type Test, test } from 'tap'
import { startIssuer } from '../../../test/examples/example-process.ts'

const ROOT = join(import.meta.dirname, '../../..')
const PACKAGES = ['client', 'verify']
const AUDIENCE = 'https://notes.example.test'
/** Of the root, for the packages and for the project itself. */
const LINKED = ['jose', 'fastify', '@types/node', 'undici-types']

/** The blocks of a README that are JavaScript. */
function readBlocks(name: string): string[] {
  const readme = readFileSync(join(ROOT, 'packages', name, 'README.md'), 'utf8')
  return [...readme.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code)
}

/** A folder with both packages as they would be installed. */
function makeProject(t: Test): string {
  const dir = t.testdir({})
  const modules = join(dir, 'node_modules')
  for (const name of PACKAGES) {
    const args = ['pack', '--silent', '--workspace', `lineage-${name}`, '--pack-destination', dir]
    const packed = spawnSync('npm', args, { cwd: ROOT, encoding: 'utf8', env: ownEnvironment() })
    t.equal(packed.status, 0, packed.stderr)
    const home = join(modules, `lineage-${name}`)
    mkdirSync(home, { recursive: true })
    const archive = join(dir, `lineage-${name}-0.1.0.tgz`)
    const opened = spawnSync('tar', ['-xzf', archive, '--strip-components=1', '-C', home])
    t.equal(opened.status, 0)
  }
  mkdirSync(join(modules, '@types'))
  for (const name of LINKED) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
  return dir
}

/** What npm and tap tell their children is not for these. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env
  return { PATH, HOME }
}

function start(dir: string, script: string, env: Record<string, string>) {
  return spawn(process.execPath, [join(dir, script)], { env: { PATH: process.env.PATH, ...env } })
}

test('the packages as npm packs them', async (t) => {
  const dir = makeProject(t)

  await t.test('are compiled code with declarations, and nothing else', async (t) => {
    const expected = /^(package\.json|README\.md|LICENSE|dist\/[a-z-]+(\.d)?\.(ts|js))$/
    for (const name of PACKAGES) {
      const home = join(dir, 'node_modules', `lineage-${name}`)
      const entries = readdirSync(home, { recursive: true, withFileTypes: true })
      const files = entries.filter((entry) => entry.isFile())
      const paths = files.map((entry) => relative(home, join(entry.parentPath, entry.name)))
      t.ok(paths.includes(`dist/lineage-${name}.js`))
      t.strictSame(
        paths.filter((path) => !expected.test(path)),
        [],
      )
    }
  })

  await t.test('run the quick starts of their READMEs, word for word', async (t) => {
    const [clientCode = ''] = readBlocks('client')
    const [apiCode = ''] = readBlocks('verify')
    writeFileSync(join(dir, 'client.js'), clientCode)
    writeFileSync(join(dir, 'api.js'), apiCode)

    const { service, issuer } = await startIssuer(t)
    const { id, secret } = await service.makeClient({
      type: 'confidential',
      grantTypes: ['client_credentials'],
      scopes: ['notes:read'],
      audiences: [AUDIENCE],
    })
    writeFileSync(join(dir, 'secret'), `${secret}\n`)
    const api = start(dir, 'api.js', { ISSUER: issuer, AUDIENCE })
    t.teardown(() => api.kill())
    const [url = ''] = await new Promise<string[]>((resolve) => {
      createInterface(api.stdout).once('line', (line) => resolve(line.split('\n')))
    })
    const client = start(dir, 'client.js', {
      ISSUER: issuer,
      CLIENT_ID: id,
      CLIENT_SECRET_FILE: join(dir, 'secret'),
      API: `${url}/notes`,
    })
    const [out, error] = await Promise.all([text(client.stdout), text(client.stderr)])
    t.equal(out, `200 {"owner":"${id}"}\n`, error)
    t.equal((await fetch(`${url}/notes`)).status, 401)
  })

  await t.test('have whole declarations, for the strictest compiler', async (t) => {
    const source = `
import { createTokenSource, OAuthResponseError, type TokenSource } from 'lineage-client'
import express from './express.ts'
import fastify from 'fastify'
import { createExpressMiddleware, createFastifyHook, createVerifier } from 'lineage-verify'
const source: TokenSource = createTokenSource({
  issuer: 'https://auth.example.test',
  clientId: 'client',
  auth: { method: 'private_key_jwt', key: { kty: 'EC' } },
  dpop: true,
})
const code: string = new OAuthResponseError(
  { error: 'invalid_client', error_description: undefined, status: 401 }
).error
const verifier = createVerifier({ issuer: 'https://auth.example.test', audience: 'api' })
fastify().get('/', { onRequest: createFastifyHook(verifier, { scope: 'a' }) }, async () => code)
express.get('/', createExpressMiddleware(verifier))
// @ts-expect-error there is no such method
createTokenSource({ issuer: 'x', clientId: 'c', auth: { method: 'client_secret_jwt', secret: 's' } })
const found: number = (await verifier.verifyToken((await source.getToken()).accessToken)).exp
console.log(found)
`
    writeFileSync(join(dir, 'express.ts'), 'declare const app: any\nexport default app\n')
    writeFileSync(join(dir, 'app.ts'), source)
    const compilerOptions = {
      ...{ target: 'es2023', module: 'nodenext', strict: true, noEmit: true, skipLibCheck: false },
      ...{ allowImportingTsExtensions: true, types: ['node'], lib: ['es2023'] },
    }
    const config = { compilerOptions, files: ['app.ts'] }
    writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(config))
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', dir], { encoding: 'utf8' })
    t.equal(status, 0, stdout.slice(0, 3_000))
  })
})
