// What a message to PostgreSQL does, in one of a few words: statements themselves hold names and
// numbers without end.

const OPERATIONS = new Set(['select', 'insert', 'update', 'delete', 'begin', 'commit', 'rollback'])
/** Longer than any of them, with what may stand before it. */
const START_LENGTH = 32

/** One of `select`, `insert`, `update`, `delete`, `begin`, `commit`, `rollback`, or `other`. */
export function operationOf(text: string): string {
  // The check before a COMMIT goes in one message with it.
  if (text.endsWith('; COMMIT')) return 'commit'
  const [word = ''] = text
    .slice(0, START_LENGTH)
    .trimStart()
    .split(/[\s;(]/, 1)
  const verb = word.toLowerCase()
  if (OPERATIONS.has(verb)) return verb
  return verb === 'with' ? withOperation(text) : 'other'
}

/** A statement that begins with a list of others is named after what it changes, if it does. */
function withOperation(text: string): string {
  const verb = /\b(insert into|update|delete from)\b/i.exec(text)?.[1] ?? 'select'
  return verb.split(' ', 1)[0]?.toLowerCase() ?? 'other'
}
