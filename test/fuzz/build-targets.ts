// A file of targets and all of src that it imports as one module, in which src is instrumented. What comes
// from packages stays as it is.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { ROOT } from '../support/repository-text.ts'
import { type Coverage, openCoverage } from './coverage.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { type Instrumented, instrument } from './instrument.ts'

export interface BuiltTargets {
  readonly targets: readonly FuzzTarget[]
  readonly coverage: Coverage
  /** What stands in these sources, and where their places are. */
  sourcesOf(target: FuzzTarget): readonly BuiltSource[]
}

interface BuiltSource extends Omit<Instrumented, 'code'> {
  /** From the root of the repository, with slashes. */
  readonly path: string
  readonly placesStart: number
}

/** `file` exports `TARGETS`; `isSource` says of a path from the root whether it is instrumented. */
export async function buildTargets(
  file: string,
  isSource = (path: string) => path.startsWith('src/') && !path.startsWith('src/generated/'),
): Promise<BuiltTargets> {
  const sources = new Map<string, BuiltSource>()
  let placesEnd = 0
  // Within the checkout, where the packages are found.
  const folder = mkdtempSync(join(ROOT, 'node_modules/.fuzz-'))
  try {
    const outfile = join(folder, 'targets.mjs')
    await build({
      absWorkingDir: ROOT,
      entryPoints: [file],
      outfile,
      bundle: true,
      packages: 'external',
      format: 'esm',
      platform: 'node',
      target: 'node20',
      logLevel: 'silent',
      plugins: [
        {
          name: 'instrument',
          setup({ onLoad }) {
            onLoad({ filter: /\.ts$/ }, ({ path: absolute }) => {
              const path = relative(ROOT, absolute).split(sep).join('/')
              const source = keepPlace(readFileSync(absolute, 'utf8'), absolute)
              if (!isSource(path)) return { contents: source, loader: 'ts' }
              const { code, ...found } = instrument(source, placesEnd)
              sources.set(path, { path, placesStart: placesEnd, ...found })
              placesEnd = found.placesEnd
              return { contents: code, loader: 'js' }
            })
          },
        },
      ],
    })
    const coverage = openCoverage(placesEnd)
    const { TARGETS } = (await import(pathToFileURL(outfile).href)) as {
      TARGETS: readonly FuzzTarget[]
    }
    return { targets: TARGETS, coverage, sourcesOf: (target) => pathsOf(target).flatMap(find) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }

  function find(path: string): BuiltSource[] {
    const source = sources.get(path)
    if (!source) throw new Error(`${path} is not among the sources of the targets`)
    return [source]
  }
}

function pathsOf({ covers, within = [] }: FuzzTarget): string[] {
  return [...new Set([...covers.map((place) => place.split(' ')[0] ?? ''), ...within])]
}

/** A module that reads files beside itself still finds them. */
function keepPlace(source: string, path: string): string {
  const place = { dirname: dirname(path), filename: path, url: pathToFileURL(path).href }
  return source.replace(/\bimport\.meta\.(dirname|filename|url)\b/g, (_, member) =>
    JSON.stringify(place[member as keyof typeof place]),
  )
}
