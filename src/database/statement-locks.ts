// Which tables the statements of a migration lock, and how, read from their text: so that all of it can be
// taken before the first of them runs. test/database/statement-locks.test.ts holds it to what PostgreSQL
// locks for every migration that is shipped.

/** From the weakest to the strongest. */
const MODES = ['ROW EXCLUSIVE', 'SHARE', 'SHARE ROW EXCLUSIVE', 'ACCESS EXCLUSIVE'] as const
export type LockMode = (typeof MODES)[number]

export interface NamedLock {
  /** Of a table; of an index, which stands for its table; of a foreign key, for the one that it refers to. */
  readonly name: string
  readonly mode: LockMode
  /** Whether tables that refer to it, or that it refers to, are locked as well. */
  readonly withReferences: boolean
}

/** Comments, texts and bodies of functions; names in quotation marks, which may hold any of these, stay. */
const NOISE = /"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\$(\w*)\$[\s\S]*?\$\1\$|'(?:[^']|'')*'/g
const NAME = '(?:IF (?:NOT )?EXISTS )?(?:ONLY )?(?:"([^"]+)"|(\\w+))'

interface Rule {
  readonly pattern: RegExp
  readonly mode: LockMode
}

const rule = (mode: LockMode, before: string): Rule => ({
  pattern: new RegExp(`${before} ${NAME}`, 'gi'),
  mode,
})

// Some take less, ADD FOREIGN KEY say; they are too brief or too rare to be told apart.
const RULES: readonly Rule[] = [
  rule('ACCESS EXCLUSIVE', '^(?:ALTER TABLE|DROP TABLE|DROP INDEX|TRUNCATE(?: TABLE)?)'),
  rule('ACCESS EXCLUSIVE', '\\b(?:ATTACH PARTITION|DETACH PARTITION|PARTITION OF)'),
  rule('ACCESS EXCLUSIVE', '\\bDROP CONSTRAINT'),
  rule('ACCESS EXCLUSIVE', '^DROP TRIGGER .*? ON'),
  rule('SHARE ROW EXCLUSIVE', '^CREATE (?:CONSTRAINT )?TRIGGER .*? ON'),
  rule('SHARE ROW EXCLUSIVE', '\\bREFERENCES'),
  // Against other writers, so that it never waits for a row that one of them holds.
  rule('SHARE ROW EXCLUSIVE', '^(?:UPDATE|DELETE FROM)'),
  // Readers go on while an index is built.
  rule('SHARE', '^CREATE (?:UNIQUE )?INDEX .*? ON'),
  rule('ROW EXCLUSIVE', '^INSERT INTO'),
]

/** In the order of the statements; a name may come several times. Tables that are only read are left out. */
export function readLocks(sql: string): readonly NamedLock[] {
  const plain = sql.replaceAll(NOISE, (found) => (found.startsWith('"') ? found : ' '))
  return plain.split(';').flatMap((part) => {
    const statement = part.replaceAll(/\s+/g, ' ').trim()
    const withReferences = /^DROP TABLE\b/i.test(statement)
    return RULES.flatMap(({ pattern, mode }) =>
      [...statement.matchAll(pattern)].map(([, quoted, plainName]) => ({
        name: quoted ?? String(plainName).toLowerCase(),
        mode,
        withReferences,
      })),
    )
  })
}

/** The weakest that keeps off whom either keeps off. */
export function joinModes(one: LockMode, other: LockMode): LockMode {
  const [weaker, stronger] = MODES.indexOf(one) < MODES.indexOf(other) ? [one, other] : [other, one]
  // Of all pairs this one alone has no order.
  return weaker === 'ROW EXCLUSIVE' && stronger === 'SHARE' ? 'SHARE ROW EXCLUSIVE' : stronger
}
