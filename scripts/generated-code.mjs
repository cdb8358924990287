// What is made from other files and not committed, in src/generated/: Prisma's client, and the contract
// as JSON and as a page. It is made only when something that it comes from has changed, or when it was
// changed itself.

import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { hashFiles, listFiles } from './file-hash.mjs'

const SCHEMA = 'prisma/schema.prisma'
const CONFIG = 'prisma.config.ts'
const CONTRACT = 'openapi.yaml'
const PAGE = 'scripts/api-page'
/** The lock stands for the version of Prisma. */
const SOURCES = [SCHEMA, CONFIG, CONTRACT, PAGE, 'scripts/generated-code.mjs', 'package-lock.json']
const OUTPUT = 'src/generated'
/** Where Prisma's client unpacks its query compiler, and the file that is read in its place. */
const PACKED_COMPILER =
  /const \{ wasm \} = await import\("([^"]+)"\)\s+return await decodeBase64AsWasm\(wasm\)/
const COMPILER = 'query-compiler.wasm'
/** A file in the output, which says what it was made from and what it was when it was finished. */
const STAMP = 'stamp'

/**
 * Makes what is not as the files of the checkout `root` say. It is made aside and put in place file by
 * file, so that whoever does the same at the same time, or reads, never sees a half of one.
 */
export async function generate(root) {
  const sources = hashFiles(root, listFiles(root, SOURCES))
  const output = join(root, OUTPUT)
  if (readStamp(output) === `${sources} ${hashOutput(output)}`) return
  mkdirSync(join(root, '.build'), { recursive: true })
  const aside = mkdtempSync(join(root, '.build/generate-'))
  try {
    const made = join(aside, OUTPUT)
    runPrisma(root, aside)
    await unpackQueryCompiler(join(made, 'prisma/internal'))
    // Only now: to read TypeScript takes a while.
    const { tsImport } = await import('tsx/esm/api')
    const { writeApiFiles } = await tsImport(
      join(root, PAGE, 'write-api-files.ts'),
      import.meta.url,
    )
    writeApiFiles(join(root, CONTRACT), join(made, 'api'))
    const stamp = `${sources} ${hashOutput(made)}`
    replaceFiles(made, output)
    writeFileSync(join(aside, STAMP), stamp)
    renameSync(join(aside, STAMP), join(output, STAMP))
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}

function readStamp(output) {
  const path = join(output, STAMP)
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

function listOutput(output) {
  return listFiles(output, ['.']).filter((file) => file !== STAMP)
}

function hashOutput(output) {
  return hashFiles(output, listOutput(output))
}

/** The client lies beside the schema, where the schema says. */
function runPrisma(root, aside) {
  for (const path of [SCHEMA, CONFIG]) cpSync(join(root, path), join(aside, path))
  const prisma = createRequire(import.meta.url).resolve('prisma/package.json')
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(dirname(prisma), 'build/index.js'), 'generate'],
    { cwd: aside, encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`prisma generate failed:\n${stdout}${stderr}`)
}

/**
 * Puts Prisma's query compiler into a file of its own. As the text that it comes as it would be held in
 * memory twice, for as long as the process lives, beside what is made of it.
 */
async function unpackQueryCompiler(directory) {
  const path = join(directory, 'class.ts')
  const source = readFileSync(path, 'utf8')
  const [lines, name] = PACKED_COMPILER.exec(source) ?? []
  if (lines === undefined) throw new Error('this Prisma loads its query compiler in another way')
  const packed = createRequire(import.meta.url).resolve(name.replace(/\.mjs$/, '.js'))
  const { wasm } = createRequire(import.meta.url)(packed)
  writeFileSync(join(directory, COMPILER), Buffer.from(wasm, 'base64'))
  const reading = `const { readFile } = await import('node:fs/promises')
    return await WebAssembly.compile(await readFile(new URL('${COMPILER}', import.meta.url)))`
  writeFileSync(path, source.replace(lines, reading))
}

/** Files that are as they should be are left alone: whoever watches them would start anew. */
function replaceFiles(from, to) {
  const wanted = listOutput(from)
  for (const file of wanted) {
    const target = join(to, file)
    if (existsSync(target) && readFileSync(target).equals(readFileSync(join(from, file)))) continue
    mkdirSync(dirname(target), { recursive: true })
    renameSync(join(from, file), target)
  }
  for (const file of listOutput(to)) {
    if (!wanted.includes(file)) rmSync(join(to, file), { force: true })
  }
}
