// The environment against the table: every value parsed, every name known, every secret fetched
// from its file. How settings depend on each other is checked in service-config.ts.

import { CONFIG_TABLE, type SettingName, type Settings } from './config-table.ts'
import { BadValue } from './config-values.ts'
import type { Environment } from './environment.ts'
import { withoutServiceLinks } from './service-links.ts'
import type { Setting } from './setting.ts'

/** Gives a file's text or throws. */
export type ReadFile = (path: string) => string

export interface ReadSettings {
  /** The values that could be parsed; all of `Settings` when there is no problem. */
  readonly values: Partial<Settings>
  /** Sentences without values, each about another variable. */
  readonly problems: readonly string[]
  /** The settings that the environment gives, by value or by file, also those with a problem. */
  readonly given: ReadonlySet<SettingName>
}

/** Does no I/O but reading the `NAME_FILE`s. */
export function readSettings(environment: Environment, readFile: ReadFile): ReadSettings {
  const env = withoutServiceLinks(environment)
  const { values, problems, given } = readRows(CONFIG_TABLE, env, readFile)
  return { values, problems: [...findUnknownNames(env), ...problems], given }
}

/** What the rows of one table give. */
export function readRows<Name extends string>(
  table: Readonly<Record<Name, Setting<unknown>>>,
  env: Environment,
  readFile: ReadFile,
): {
  readonly values: Readonly<Record<string, unknown>>
  readonly problems: readonly string[]
  readonly given: ReadonlySet<Name>
} {
  const values: Record<string, unknown> = {}
  const given = new Set<Name>()
  const problems: string[] = []
  for (const [name, setting] of Object.entries<Setting<unknown>>(table)) {
    try {
      const isFile = setting.isSecret && env[`${name}_FILE`]
      if (isFile || givenText(setting, env[name])) given.add(name as Name)
      const text = findText(env, name, setting, readFile)
      values[name] = text === undefined ? undefined : setting.parse(text)
    } catch (error) {
      if (!(error instanceof BadValue)) throw error
      problems.push(`${name} ${error.message}.`)
    }
  }
  return { values, problems, given }
}

/** Undefined where it is unset; so is an empty value, with one exception (docs/semantics.md §18). */
export function givenText(
  { whenEmpty }: Setting<unknown>,
  value: string | undefined,
): string | undefined {
  return value === '' ? whenEmpty : value
}

function findText(
  env: Environment,
  name: string,
  setting: Setting<unknown>,
  readFile: ReadFile,
): string | undefined {
  const path = setting.isSecret ? env[`${name}_FILE`] : undefined
  if (!path) return givenText(setting, env[name]) ?? setting.default
  if (env[name]) throw new BadValue('and its _FILE are both set; set one of them')
  let text: string
  try {
    text = readFile(path)
  } catch {
    // Without path and cause: somebody may have set the secret itself in place of the path.
    throw new BadValue('cannot be read from the file that its _FILE names')
  }
  const secret = text.replace(/\r?\n$/, '')
  // Unlike an empty variable, an empty file is an error: somebody meant to put a secret there.
  if (secret === '') throw new BadValue('is empty in the file that its _FILE names')
  const oddity = findOddity(secret)
  if (oddity) throw new BadValue(`has ${oddity} in the file that its _FILE names`)
  return secret
}

/** What an editor may leave in a file. A secret with it would be refused wherever it is used. */
function findOddity(secret: string): string | undefined {
  if (secret.startsWith('\ufeff')) return 'a byte order mark'
  if (/[\r\n]/.test(secret)) return 'a line break'
  return /[^\x20-\x7e]/.test(secret) ? 'a character outside printable ASCII' : undefined
}

function findUnknownNames(env: Environment): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('LINEAGE_') && env[name])
    .filter((name) => !isKnown(name))
    .map((name) => `${name.replaceAll(/[^\x21-\x7e]/g, '?').slice(0, 100)} is not a known setting.`)
}

function isKnown(name: string): boolean {
  const table: Readonly<Record<string, Setting<unknown>>> = CONFIG_TABLE
  const base = name.replace(/_FILE$/, '')
  return Object.hasOwn(table, name) || (Object.hasOwn(table, base) && !!table[base]?.isSecret)
}
