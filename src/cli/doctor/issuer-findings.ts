// What `lineage doctor` looks at from the outside: whether the issuer answers, as itself, and with
// the keys of this database.

import { readAnswer } from '../read-answer.ts'
import { type Finding, fail, ok, skip, warn } from './finding.ts'

const TIMEOUT_MS = 5_000
const BYTES_MAX = 256 * 1024

/** Asks the configured issuer and nobody else; redirects are not followed. */
export async function examineIssuer(
  issuer: string,
  publishedKids: readonly string[] | undefined,
): Promise<Finding[]> {
  const metadata = await fetchJson(`${issuer}/.well-known/openid-configuration`)
  if ('problem' in metadata) {
    const advice = 'start the service, or check the proxy, DNS and TLS in front of it'
    return [
      warn('issuer', `${issuer} does not answer from here: ${metadata.problem}`, advice),
      skip('jwks', 'the issuer does not answer'),
    ]
  }
  if (memberOf(metadata.document, 'issuer') !== issuer) {
    const advice =
      'route its host and path to this service, with the same LINEAGE_ISSUER everywhere'
    const detail = `what answers at ${issuer} calls itself otherwise`
    return [fail('issuer', detail, advice), skip('jwks', 'the issuer is another one')]
  }
  return [
    ok('issuer', `${issuer} answers`),
    checkKeySet(await fetchJson(`${issuer}/.well-known/jwks.json`), publishedKids),
  ]
}

function checkKeySet(answer: Answer, publishedKids: readonly string[] | undefined): Finding {
  if ('problem' in answer) {
    return fail('jwks', answer.problem, 'route /.well-known/jwks.json to the service')
  }
  const keys = memberOf(answer.document, 'keys')
  const served = Array.isArray(keys) ? keys.map((key) => memberOf(key, 'kid')) : []
  const missing = (publishedKids ?? []).filter((kid) => !served.includes(kid))
  if (missing.length === 0) return ok('jwks', `${served.length} served`)
  const advice = 'wait for the poll and for caches; then check that it uses this database'
  return fail('jwks', `${missing.length} of the keys in the database are not served`, advice)
}

type Answer = { readonly document: unknown } | { readonly problem: string }

async function fetchJson(url: string): Promise<Answer> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const answer = await fetch(url, { signal, redirect: 'manual' })
    if (answer.status !== 200) return { problem: `status ${answer.status}` }
    return { document: JSON.parse(await readAnswer(answer.body, BYTES_MAX)) }
  } catch (error) {
    return { problem: nameProblem(error) }
  }
}

function nameProblem(error: unknown): string {
  const code = memberOf(memberOf(error, 'cause'), 'code')
  if (typeof code === 'string') return code
  if (error instanceof SyntaxError) return 'it is not JSON'
  if (error instanceof RangeError) return 'it is too long'
  return memberOf(error, 'name') === 'TimeoutError' ? 'no answer in 5 s' : 'the request failed'
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
