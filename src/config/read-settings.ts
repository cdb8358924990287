// The environment against the table: every value parsed, every name known, every secret fetched
// from its file. What settings mean to each other is service-config.ts's matter.

import { CONFIG_TABLE, type Setting, type SettingName, type Settings } from './config-table.ts'
import { BadValue } from './config-values.ts'
import type { Environment } from './environment.ts'
import { withoutServiceLinks } from './service-links.ts'

/** Gives a file's text or throws. */
export type ReadFile = (path: string) => string

export interface ReadSettings {
  /** What parsed; all of `Settings` when there is no problem. */
  readonly values: Partial<Settings>
  /** Sentences without values, each about another variable. */
  readonly problems: readonly string[]
  /** The names that the environment gives, itself or by file, well or badly. */
  readonly given: ReadonlySet<SettingName>
}

/** Does no I/O but the reading of `NAME_FILE`s. */
export function readSettings(environment: Environment, readFile: ReadFile): ReadSettings {
  const env = withoutServiceLinks(environment)
  const values: Record<string, unknown> = {}
  const given = new Set<SettingName>()
  const problems = findUnknownNames(env)
  for (const [name, setting] of Object.entries<Setting<unknown>>(CONFIG_TABLE)) {
    try {
      // An empty value is unset (INTERFACE §2).
      if (env[name] || (setting.isSecret && env[`${name}_FILE`])) given.add(name as SettingName)
      const text = findText(env, name, setting, readFile)
      values[name] = text === undefined ? undefined : setting.parse(text)
    } catch (error) {
      if (!(error instanceof BadValue)) throw error
      problems.push(`${name} ${error.message}.`)
    }
  }
  return { values, problems, given }
}

function findText(
  env: Environment,
  name: string,
  setting: Setting<unknown>,
  readFile: ReadFile,
): string | undefined {
  const path = setting.isSecret ? env[`${name}_FILE`] : undefined
  if (!path) return env[name] || setting.default
  if (env[name]) throw new BadValue('and its _FILE are both set; set one of them')
  let text: string
  try {
    text = readFile(path)
  } catch {
    // Neither the path nor the cause: a secret set in its place would be repeated.
    throw new BadValue('cannot be read from the file that its _FILE names')
  }
  const secret = text.replace(/\r?\n$/, '')
  // Unlike an empty variable this is no way to say unset: somebody meant to put a secret there.
  if (secret === '') throw new BadValue('is empty in the file that its _FILE names')
  const oddity = findOddity(secret)
  if (oddity) throw new BadValue(`has ${oddity} in the file that its _FILE names`)
  return secret
}

/** What an editor leaves in a file; a secret with it would be refused wherever it is used. */
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
