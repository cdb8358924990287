// What `lineage doctor --url` says of paths: that the documents are at all of their places, and that the
// proxy passes on what it was sent, letter by letter.

import { type AddressScene, memberOfBody } from './address-scene.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const PLACES = 'metadata places'
const SPELLING = 'path spelling'
const QUERIES = 'queries'
const JWKS = '/.well-known/jwks.json'

/** Each is another spelling of the JWKS, which the service answers with 404. */
const SPELLINGS: Readonly<Record<string, string>> = {
  '/.well-known//jwks.json': 'merges slashes',
  '/x/../.well-known/jwks.json': 'resolves dots',
  '/%2ewell-known/jwks.json': 'decodes escapes',
  '/.well-known/jwks.json/': 'cuts off a last slash',
  '/.well-known/JWKS.json': 'changes case',
  '/.well-known/jwks.json;x': 'cuts off a semicolon',
}

export async function examinePaths(scene: AddressScene): Promise<Finding[]> {
  return [await examinePlaces(scene), await examineSpellings(scene), await examineQueries(scene)]
}

/** RFC 8414 §3.1 puts the metadata of an issuer with a path at the root of its host as well. */
async function examinePlaces({ address, config: { issuer } }: AddressScene): Promise<Finding> {
  const path = new URL(issuer).pathname.replace(/\/$/, '')
  const places = [
    { path: '/.well-known/openid-configuration' },
    { path: '/.well-known/oauth-authorization-server' },
    ...(path === ''
      ? []
      : [{ path: `/.well-known/oauth-authorization-server${path}`, isAtRoot: true }]),
    { path: JWKS },
  ]
  const missing: string[] = []
  for (const place of places) {
    const answer = await address.ask(place)
    const isThere =
      place.path === JWKS
        ? Array.isArray(memberOfBody(answer, 'keys'))
        : memberOfBody(answer, 'issuer') === issuer
    if (!isThere) missing.push(`${place.path} (${answer.status})`)
  }
  const advice = `route all of them to the service, with the path of the issuer${path && ` (${path})`} left in`
  return missing.length === 0
    ? ok(PLACES, `${places.length} documents are where clients look`)
    : fail(PLACES, `not there: ${missing.join(', ')}`, advice)
}

async function examineSpellings({ address }: AddressScene): Promise<Finding> {
  const rewritten: string[] = []
  for (const [path, how] of Object.entries(SPELLINGS)) {
    if ((await address.ask({ path })).status === 200) rewritten.push(how)
  }
  const advice =
    'pass the path on as it came (nginx: proxy_pass without a path): a rule of the proxy that ' +
    'compares paths, such as one that blocks /admin, is evaded otherwise'
  return rewritten.length === 0
    ? ok(SPELLING, 'one spelling each, no other is answered')
    : warn(SPELLING, `the proxy ${rewritten.join(', ')}`, advice)
}

/** A parameter in the query is refused in words of its own, so the words tell whether it arrived. */
async function examineQueries({ address }: AddressScene): Promise<Finding> {
  const words = async (path: string) =>
    memberOfBody(await address.ask({ path, form: 'doctor=1' }), 'error_description')
  const [without, within] = [await words('/token'), await words('/token?client_id=doctor')]
  if (without === undefined) {
    const advice = 'route POST /token to the service, and let its errors through'
    return fail(QUERIES, '/token does not answer as an OAuth endpoint', advice)
  }
  return within !== without
    ? ok(QUERIES, 'passed on')
    : warn(QUERIES, 'the proxy drops the query', 'pass it on: lists at /admin and /verify need it')
}
