// Every exported function that by its name reads text is fuzzed, or it is said here why it is not.

import { test } from 'tap'
import { listFiles, readTexts } from '../support/repository-text.ts'
import { TARGETS } from './targets.ts'

const PARSER =
  /^export (?:async )?(?:function|const) ((?:parse|read|decode)[A-Z]\w*|authenticate\w+Token)\b/gm

/** By the place, or by the beginning of it. */
const NOT_FUZZED: Readonly<Record<string, string>> = {
  'src/cli/add-command.ts parseWholeNumber': 'arguments of the command',
  'src/cli/drill/': 'what our own stores hold',
  'src/cli/read-answer.ts': 'what our own service answers',
  'src/cli/secret-input.ts': 'what a person types, taken as it is',
  'src/cli/top/top-target.ts parseMetricsUrl':
    'arguments of the command, read by the parser of URLs',
  'src/client-auth/client-assertion.ts readClientAssertion':
    'hands its parameter to readForeignJwt',
  'src/client-auth/none.ts readClientId': 'a parameter as it is',
  'src/config/config-values.ts parsePath': 'a name of a file as it is',
  'src/config/config-values.ts parseClientSlug':
    'one pattern, tried in test/linear-time/patterns.test.ts',
  'src/config/config-values.ts parsePasswordPeppers': 'the same reader as parseRootSecrets',
  'src/config/read-settings.ts readRows': 'what readSettings and readTelemetry go through',
  'src/database/database-clock.ts': 'what our own database answers',
  'src/database/keyset-page.ts readPage': 'rows of our own database',
  'src/database/statement-locks.ts readLocks': 'migrations of ours',
  'src/declarative/read-bounded.ts': 'bytes of a file, bounded and decoded',
  'src/declarative/read-resources.ts': 'files, each by readDocuments and findSchemaFaults',
  'src/declarative/resource-schema.ts readResourceSchema': 'a file of ours',
  'src/embedded/': 'files of our own',
  'src/families/redis/': 'what our own Redis holds',
  'src/grants/granted.ts readTarget': 'hands its parameters to parseScope and parseResources',
  'src/http/front/read-body.ts': 'bytes as they come',
  'src/http/oauth/confirm-sender.ts readSenderProof': 'hands its header to readProof',
  'src/http/verify/verify-credential.ts readCredential': 'chooses between two that are fuzzed',
  'src/keys/': 'rows of our own database',
  'src/runtime/clock-offset.ts readOffset': 'numbers',
  'src/runtime/program-version.ts': 'a file of ours',
  'src/tls/': 'files of the operator, read by OpenSSL',
  'src/users/password-schemes/hash-text.ts': 'base64, by way of each scheme',
}

const covered = new Set(TARGETS.flatMap(({ covers }) => covers))
const sources = readTexts(listFiles('src'))
const parsers = sources.flatMap(({ path, text }) =>
  [...text.matchAll(PARSER)].map(([, name]) => `${path} ${name}`),
)

test('every parser is fuzzed, or it is said why not', async (t) => {
  t.ok(parsers.length > 80, 'the parsers were found')
  const isExempt = (place: string) =>
    Object.keys(NOT_FUZZED).some((start) => place.startsWith(start))
  t.strictSame(
    parsers.filter((place) => !covered.has(place) && !isExempt(place)),
    [],
    'parsers that nobody fuzzes',
  )
  t.strictSame(
    Object.keys(NOT_FUZZED).filter((start) => !parsers.some((place) => place.startsWith(start))),
    [],
    'reasons for what is not there',
  )
})

test('what a target says that it covers is there, and its name is its own', async (t) => {
  for (const place of covered) {
    const [path, name] = place.split(' ')
    const source = sources.find((one) => one.path === path)
    t.match(
      source?.text,
      new RegExp(`^export (?:async )?(?:function|const) ${name}\\b`, 'm'),
      place,
    )
  }
  const names = TARGETS.map(({ name }) => name)
  t.equal(new Set(names).size, names.length)
})
