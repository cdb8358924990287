// `npm run generate` on a checkout of its own: what is made, and that two at once do not disturb each
// other.

import { execFile } from 'node:child_process'
import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Test, test } from 'tap'

const ROOT = join(import.meta.dirname, '../..')
const SOURCES = ['scripts', 'prisma', 'openapi.yaml', 'package-lock.json', 'prisma.config.ts']
const run = promisify(execFile)

function makeCheckout(t: Test) {
  const dir = t.testdir({ node_modules: t.fixture('symlink', join(ROOT, 'node_modules')) })
  for (const name of SOURCES) cpSync(join(ROOT, name), join(dir, name), { recursive: true })
  return {
    path: (name: string) => join(dir, name),
    generate: () =>
      run('env', ['-u', 'NODE_OPTIONS', process.execPath, join(dir, 'scripts/generate.mjs')]),
  }
}

/** Every file below a directory: its content, and what is another after it was written. */
function readAll(directory: string): Map<string, { text: string; inode: number }> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
  const entries = files
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
    .map((path) => {
      const value = { text: readFileSync(path, 'utf8'), inode: statSync(path).ino }
      return [path.slice(directory.length + 1), value] as const
    })
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

const textsOf = (files: ReturnType<typeof readAll>) =>
  Object.fromEntries([...files].map(([name, { text }]) => [name, text]))

test('two at once make the same, and later ones only what is not as it should be', async (t) => {
  const { path, generate } = makeCheckout(t)
  const output = path('src/generated')
  await Promise.all([generate(), generate()])
  const made = readAll(output)
  t.strictSame(textsOf(made), textsOf(readAll(join(ROOT, 'src/generated'))))
  t.strictSame(readdirSync(path('.build')), [], 'nothing lies about')

  await generate()
  t.strictSame(readAll(output), made, 'nothing has changed, and nothing is written')

  rmSync(path('src/generated/api/icon.svg'))
  appendFileSync(path('src/generated/prisma/client.ts'), '// edited')
  await generate()
  const mended = readAll(output)
  t.strictSame(textsOf(mended), textsOf(made))
  const untouched = 'prisma/models.ts'
  t.equal(mended.get(untouched)?.inode, made.get(untouched)?.inode)

  appendFileSync(path('openapi.yaml'), '\nx-added: true\n')
  await generate()
  const added = readAll(output)
  t.match(added.get('api/one-port.json')?.text, '"x-added":true')
  t.equal(added.get('prisma/client.ts')?.text, made.get('prisma/client.ts')?.text)
})

/** What it said when it ended with an exit code other than 0. */
async function failed(generated: Promise<unknown>): Promise<string> {
  const error: unknown = await generated.catch((reason: unknown) => reason)
  return (error as { stderr?: string })?.stderr ?? 'it did not fail'
}

test('a contract that would be taken for placeholders, or a wrong schema, changes nothing', async (t) => {
  const { path, generate } = makeCheckout(t)
  cpSync(join(ROOT, 'src/generated'), path('src/generated'), { recursive: true })
  const before = readAll(path('src/generated'))
  appendFileSync(path('openapi.yaml'), '\nx-added: "{{issuer}}"\n')
  t.match(await failed(generate()), /openapi\.yaml must not have two opening braces/)
  appendFileSync(path('prisma/schema.prisma'), '\nmodel {\n')
  t.match(await failed(generate()), /^prisma generate failed:\n[\s\S]*schema\.prisma/)
  t.strictSame(readAll(path('src/generated')), before)
  t.strictSame(readdirSync(path('.build')), [])
})
