// Names that others rely on are in use: an event that is never logged, or a reason that nothing gives,
// would be searched for in vain. And nothing is exported that nobody imports.

import { test } from 'tap'
import { API_ERRORS } from '../../src/http/server/api-error.ts'
import { OAUTH_ERRORS } from '../../src/oauth/oauth-error.ts'
import { LOG_EVENTS } from '../../src/ops/log-events.ts'
import { SECURITY_EVENT_TYPES } from '../../src/runtime/security-event.ts'
import { listFiles, type RepositoryText, readTexts } from '../support/repository-text.ts'

const CODE = readTexts(listFiles()).filter(({ path }) => /\.(ts|mjs)$/.test(path))
const SOURCES = CODE.filter(({ path }) => path.startsWith('src/'))
/** Files that only list names. */
const LISTS = ['log-events.ts', 'security-event.ts', 'oauth-error.ts', 'api-error.ts']
const USERS = SOURCES.filter(({ path }) => !LISTS.some((list) => path.endsWith(`/${list}`)))

/** What a LoginThrottle throws (src/users/authenticate-user.ts); the service has none yet. */
const RESERVED_REASONS = ['throttled']
/** Reasons that are made of this and of a word, and the file that lists those words. */
const MADE: Readonly<Record<string, string>> = {
  refresh_: 'src/families/family.ts',
  client_assertion_: 'src/oauth/assertion-reason.ts',
  grant_assertion_: 'src/oauth/assertion-reason.ts',
}

function isQuoted(name: string, files: readonly RepositoryText[] = USERS): boolean {
  return files.some(({ text }) => text.includes(`'${name}'`))
}

test('every event of the log is logged, and every security event is recorded', async (t) => {
  const names = new Set<string>([...Object.keys(LOG_EVENTS), ...SECURITY_EVENT_TYPES])
  for (const name of names) t.ok(isQuoted(name), name)
})

test('every reason and every code of an error is given by something', async (t) => {
  const isMadeOf = (reason: string, [start, list]: [string, string]) => {
    const lists = SOURCES.filter(({ path }) => path === list)
    return reason.startsWith(start) && isQuoted(reason.slice(start.length), lists)
  }
  for (const reason of Object.keys(OAUTH_ERRORS)) {
    const isMade = Object.entries(MADE).some((made) => isMadeOf(reason, made))
    t.ok(isMade || isQuoted(reason) || RESERVED_REASONS.includes(reason), reason)
  }
  for (const code of Object.keys(API_ERRORS)) t.ok(isQuoted(code), code)
})

test('every exported value is imported by another file', async (t) => {
  let seen = 0
  for (const { path, text } of SOURCES) {
    for (const [, name = ''] of text.matchAll(
      /^export (?:async )?(?:const|function|class) (\w+)/gm,
    )) {
      seen += 1
      const word = new RegExp(`\\b${name}\\b`)
      const isUsed = CODE.some((file) => file.path !== path && word.test(file.text))
      if (!isUsed) t.fail(`${path} exports ${name}, which nobody imports`)
    }
  }
  t.ok(seen > 300, 'the exports were found')
})
