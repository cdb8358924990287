// docs/integrations.md and what there is: every line names the test that proves it, every such test
// has a line, and the versions are those that are installed. What the lines say beyond that, their
// own tests compare with what they saw (test/support/documented.ts).

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { readTable } from '../support/documented.ts'

const TABLES = ['Client libraries', 'Verifiers', 'Gateways', 'Programs']

/** The file that a line links to, from the root of the repository. */
function testOf(cell: string | undefined): string {
  return join('docs', /\]\(([^)]+)\)/.exec(cell ?? '')?.[1] ?? '')
}

function listTests(): string[] {
  const files = (folder: string) => readdirSync(folder).map((name) => `${folder}/${name}`)
  return [
    ...files('test/integrations').filter((path) => path.endsWith('.test.ts')),
    ...files('test/interop').filter((path) =>
      /\/(client|gateway|program)-[\w-]+\.test\.ts$/.test(path),
    ),
  ]
}

test('every line names its test, and every test of an integration has its line', async (t) => {
  const lines = TABLES.flatMap((heading) => [...readTable(heading).values()])
  const named = lines.map(({ Test }) => testOf(Test))
  for (const path of named) t.ok(existsSync(path), path)
  t.strictSame([...new Set(named)].sort(), listTests().sort())
  t.ok(lines.length > 15, 'the lines were found')
})

test('the versions of npm packages are those of package.json', async (t) => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
  const versions: Record<string, string> = { ...manifest.dependencies, ...manifest.devDependencies }
  for (const heading of ['Client libraries', 'Verifiers', 'Programs']) {
    for (const [name, { Version, Test }] of readTable(heading)) {
      if (!testOf(Test).startsWith('test/integrations/')) continue
      const told = name.split(' and ').map((part) => versions[part])
      t.equal(told.join(' and '), Version, name)
    }
  }
})
