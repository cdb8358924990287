// Line coverage of src/ over all processes of a run of the tests, the services among them. A line of
// the built code counts when it holds more than brackets, and is covered when its first character ran.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Per cent of the lines: what the suite reaches, rounded down. It may only be raised. */
const FLOOR = 98
/** How many of the files with the most uncovered lines are shown. */
const SHOWN = 15

/** `probe` is for `node --import`; `report` prints, forgets, and returns whether the floor is kept. */
export function measureCoverage(built) {
  const sources = join(built, 'src/')
  const directory = mkdtempSync(join(tmpdir(), 'lineage-coverage-'))
  const probe = new URL('coverage-probe.mjs', import.meta.url)
  probe.searchParams.set('directory', directory)
  probe.searchParams.set('sources', pathToFileURL(sources).href)
  const report = () => {
    const isKept = printCoverage(sources, readCovered(directory))
    rmSync(directory, { recursive: true })
    return isKept
  }
  return { probe: probe.href, report }
}

/** For each file the characters that some process has run, as ones. */
function readCovered(directory) {
  const covered = new Map()
  for (const name of readdirSync(directory)) {
    for (const { url, functions } of JSON.parse(readFileSync(join(directory, name), 'utf8'))) {
      const path = fileURLToPath(url)
      const length = functions[0]?.ranges[0]?.endOffset ?? 0
      const before = covered.get(path)
      const all = before ?? new Uint8Array(length)
      const ran = new Uint8Array(length)
      // Outer functions and blocks come first, what lies in them after.
      for (const { startOffset, endOffset, count } of functions.flatMap(({ ranges }) => ranges)) {
        ran.fill(count > 0 ? 1 : 0, startOffset, endOffset)
      }
      for (let at = 0; at < length; at += 1) all[at] |= ran[at]
      covered.set(path, all)
    }
  }
  return covered
}

function printCoverage(sources, covered) {
  const files = readdirSync(sources, { recursive: true })
    .filter((path) => path.endsWith('.js') && !path.startsWith('generated/'))
    // A source that is gone may have left what an earlier run built of it.
    .filter((path) =>
      existsSync(new URL(`../src/${path.replace(/\.js$/, '.ts')}`, import.meta.url)),
    )
    .map((path) => ({ path, ...countLines(join(sources, path), covered) }))
  const lines = files.reduce((sum, file) => sum + file.lines, 0)
  const missed = files.reduce((sum, file) => sum + file.missed, 0)
  const percent = (100 * (lines - missed)) / lines
  const worst = files.filter((file) => file.missed > 0).sort((a, b) => b.missed - a.missed)
  console.log('\nLines of src that no test has run, the most first:')
  for (const file of worst.slice(0, SHOWN)) {
    console.log(`  ${file.missed} of ${file.lines} in src/${file.path.replace(/\.js$/, '.ts')}`)
  }
  console.log(`${percent.toFixed(2)} % of ${lines} lines are covered; the floor is ${FLOOR} %\n`)
  return percent >= FLOOR
}

function countLines(path, covered) {
  const ran = covered.get(path)
  let [at, lines, missed] = [0, 0, 0]
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const isCode = /[\w'"`]/.test(line) && !line.trimStart().startsWith('//')
    if (isCode) {
      lines += 1
      if (!ran?.[at + line.search(/\S/)]) missed += 1
    }
    at += line.length + 1
  }
  return { lines, missed }
}
