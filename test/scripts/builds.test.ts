// `npm run build` on a small project of its own, beside this one's packages: when it builds, what of a
// build that fails is seen, and what lies in `dist`.

import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type Test, test } from 'tap'

const ROOT = join(import.meta.dirname, '../..')
/** As they are here, so that the generated code is, too, and need not be made again. */
const OURS = [
  'scripts',
  'prisma',
  'openapi.yaml',
  'package.json',
  'package-lock.json',
  'prisma.config.ts',
  'tsconfig.json',
  'tsconfig.build.json',
  'src/generated',
]

interface Project {
  readonly path: (name: string) => string
  write(name: string, text: string): void
  build(): { status: number | null; output: string }
  /** What the compiled service says. */
  say(): string
  builds(): string[]
}

function makeProject(t: Test): Project {
  const dir = t.testdir({ node_modules: t.fixture('symlink', join(ROOT, 'node_modules')) })
  const path = (name: string) => join(dir, name)
  for (const name of OURS) cpSync(join(ROOT, name), path(name), { recursive: true })
  const run = (script: string) =>
    spawnSync('env', ['-u', 'NODE_OPTIONS', process.execPath, path(script)], { encoding: 'utf8' })
  return {
    path,
    write: (name, text) => writeFileSync(path(name), text),
    build() {
      const { status, stdout, stderr } = run('scripts/build.mjs')
      return { status, output: stdout + stderr }
    },
    say: () => run('dist/main.js').stdout,
    builds: () => readdirSync(path('.build')).filter((name) => name.startsWith('build-')),
  }
}

const says = (word: string) => `const word: string = '${word}'\nprocess.stdout.write(word)\n`

test('a build is made when a source has changed, and stays when that does not compile', async (t) => {
  const project = makeProject(t)
  const { path, write, build, say } = project
  const link = () => readlinkSync(path('dist'))
  // Where a release before this one was built.
  mkdirSync(path('dist'))
  write('dist/stale.js', '')

  write('src/main.ts', says('one'))
  t.strictSame(build(), { status: 0, output: '' })
  t.equal(say(), 'one')
  t.strictSame(readdirSync(path('dist')).sort(), ['generated', 'main.js', 'main.js.map', 'stamp'])
  t.ok(
    statSync(path('dist/generated/api/one-port.html')).size > 0,
    'what is read at run time is there',
  )
  const first = link()
  utimesSync(path('src/main.ts'), 1, 1)
  t.strictSame(build(), { status: 0, output: '' })
  t.equal(link(), first, 'the same content is no change')
  t.equal(project.builds().length, 1, 'nor was anything built beside it')

  write('src/main.ts', `import './other.ts'\n`)
  write('src/other.ts', says('two'))
  t.equal(build().status, 0)
  t.equal(say(), 'two')
  const second = link()
  t.not(second, first)
  t.match(readFileSync(path(`${first}/main.js`), 'utf8'), 'one', 'whoever runs the first still can')

  write('src/other.ts', 'const word: string = 2\n')
  const broken = build()
  t.equal(broken.status, 1)
  t.match(broken.output, /^src\/other\.ts\(1,7\): error TS2322: /)
  t.match(
    broken.output,
    'The build failed, and nothing has changed: dist is still the build before.',
  )
  t.equal(link(), second)
  t.equal(say(), 'two')
  t.equal(project.builds().length, 2, 'nothing is left of it')

  rmSync(path('src/other.ts'))
  write('src/main.ts', says('three'))
  t.equal(build().status, 0)
  t.equal(say(), 'three')
  t.notOk(readdirSync(path('dist')).includes('other.js'), 'what has no source is not there')

  // An older release, run here again, compiles into what it takes for a directory.
  write('dist/main.js', 'process.stdout.write("older")')
  t.equal(build().status, 0)
  t.equal(say(), 'three')
  t.strictSame(project.builds().includes(first.split('/')[1] ?? ''), false, 'the oldest goes')
  t.equal(project.builds().length, 3)
})

test('the first build that fails says that there is none', async (t) => {
  const { write, build } = makeProject(t)
  write('src/main.ts', 'const word: string = 2\n')
  const { status, output } = build()
  t.equal(status, 1)
  t.match(output, 'nothing has changed: there is no build yet.')
})

test('the command is a program in every build', async (t) => {
  const { path, write, build } = makeProject(t)
  write('src/main.ts', "process.stdout.write('service')\n")
  write('src/cli.ts', "process.stdout.write('command')\n")
  t.equal(build().status, 0)
  t.equal(statSync(path('dist/cli.js')).mode & 0o111, 0o111)
})
