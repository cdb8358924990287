// Under which licences the packages of the lock file come, and which of these may: named as SPDX does, read
// from what is installed, so that no registry has to answer.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Of what is shipped with the service. None asks more than that its own text is kept. */
const SHIPPED = new Set([
  'MIT',
  'MIT-0',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
])
/** Besides those, of what only builds and tests, and is given to nobody. */
const AT_WORK = new Set([
  ...['BlueOak-1.0.0', 'CC0-1.0', 'Unlicense'],
  // Data about licences themselves, and what draws a page of Prisma's own tools: used as they come.
  ...['CC-BY-3.0', 'EPL-2.0'],
])
/** Packages whose manifest says nothing; in their file of this name is the MIT licence. */
const MIT_BY_FILE: Readonly<Record<string, string>> = {
  'jsonc-simple-parser': 'license',
  limiter: 'LICENSE.txt',
  'seq-queue': 'LICENSE',
}
const MIT_WORDS = 'Permission is hereby granted, free of charge, to any person obtaining'

export interface PackageLicense {
  readonly name: string
  readonly version: string
  /** An expression of SPDX; undefined where the package says none. */
  readonly license: string | undefined
  /** With the service or one of its packages. */
  readonly isShipped: boolean
  readonly isAllowed: boolean
}

interface LockEntry {
  /** Where the folder has another name. */
  readonly name?: string
  readonly version?: string
  readonly license?: string
  readonly link?: boolean
  readonly dev?: boolean
  readonly devOptional?: boolean
  readonly optional?: boolean
}

/** Every package in the lock file of the checkout `root` once, sorted by name. */
export function listLicenses(root: string): readonly PackageLicense[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, LockEntry>>
  }
  const found = new Map<string, PackageLicense>()
  for (const [path, entry] of Object.entries(lock.packages)) {
    const [, ...folders] = path.split('node_modules/')
    const name = entry.name ?? folders.at(-1)
    if (name === undefined || folders.length === 0 || entry.link) continue
    const { version = '', dev, devOptional, optional } = entry
    const isShipped = !(dev || devOptional || optional)
    // One for another platform is not installed, and the lock file says what its manifest does.
    const license = licenseOf(join(root, path), name) ?? entry.license
    const isAllowed = license !== undefined && allows(license, isShipped)
    const key = `${name}@${version}`
    if (found.get(key)?.isShipped) continue
    found.set(key, { name, version, license, isShipped, isAllowed })
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Undefined where the package is not installed or says none. */
function licenseOf(folder: string, name: string): string | undefined {
  const manifest = join(folder, 'package.json')
  if (!existsSync(manifest)) return undefined
  const { license } = JSON.parse(readFileSync(manifest, 'utf8')) as { license?: string }
  if (license !== undefined) return license
  const file = join(folder, MIT_BY_FILE[name] ?? 'LICENSE')
  if (!existsSync(file)) return undefined
  const text = readFileSync(file, 'utf8').replaceAll(/\s+/g, ' ')
  return MIT_BY_FILE[name] && text.includes(MIT_WORDS) ? 'MIT' : undefined
}

/** Of an expression without nesting: one of those around `OR`, all of those around `AND`. */
function allows(expression: string, isShipped: boolean): boolean {
  const isNamed = (name: string) => SHIPPED.has(name) || (!isShipped && AT_WORK.has(name))
  return expression
    .replaceAll(/[()]/g, '')
    .split(' OR ')
    .some((choice) => choice.split(/ and /i).every((name) => isNamed(name.trim())))
}
