// C73 to C81: the published keys, the metadata, and which origins may read what.

import { maxAgeOf, mediaTypeOf } from '../answer-headers.ts'
import { expectListedMethods, expectSigningAlgs, readAuthMethods } from '../auth-method-lists.ts'
import { needsEndpoint, needsMember } from '../check-needs.ts'
import { type Check, expect, NotApplicable } from '../conformance-check.ts'
import type { Answer } from '../http-exchange.ts'
import {
  issueJwts,
  issueTokens,
  needsAnyToken,
  needsClientToken,
  readJwt,
} from '../issued-tokens.ts'
import { metadataUrl } from '../issuer-metadata.ts'
import { expectPublicKeys } from '../key-set.ts'
import { describeAnswer, type EndpointName, type TestedService, textOf } from '../tested-service.ts'

const ENDPOINTS: readonly EndpointName[] = ['token', 'revocation', 'introspection']
/** An origin that no client can have registered. */
const STRANGER = 'https://stranger.invalid'

export const METADATA_ROWS: readonly Check[] = [
  {
    row: 'C73',
    level: 'MUST',
    sentence: 'The JWK Set has public members only, each key with its own kid and its purpose.',
    needs: [needsMember('jwks_uri')],
    async run(service) {
      expectPublicKeys((await service.fetchJwks()).jwks.keys)
    },
  },
  {
    row: 'C74',
    level: 'SHOULD',
    sentence: 'The JWK Set has its media type, an ETag that saves a download, and a max-age.',
    needs: [needsMember('jwks_uri')],
    async run(service) {
      const { answer } = await service.fetchJwks()
      const mediaType = mediaTypeOf(answer)
      expect(
        mediaType === 'application/jwk-set+json' || mediaType === 'application/json',
        `the JWK Set is ${mediaType || 'of no type'}`,
      )
      expect(maxAgeOf(answer) !== undefined, 'the JWK Set has no max-age')
      const { etag } = answer.headers
      expect(etag !== undefined, 'the JWK Set has no ETag')
      const url = String(service.metadata.jwks_uri)
      const again = await service.send(url, { headers: [['If-None-Match', etag]] })
      expect(again.status === 304, `the known ETag was answered with status ${again.status}`)
      const other = await service.send(url, { headers: [['If-None-Match', '"another"']] })
      expect(other.status === 200, `another ETag was answered with status ${other.status}`)
    },
  },
  {
    row: 'C75',
    level: 'product',
    sentence:
      'Every key that signs is published, for an explicit time, and stays so after signing.',
    needs: [needsMember('jwks_uri'), needsAnyToken],
    async run(service) {
      const before = await service.fetchJwks()
      const maxAge = maxAgeOf(before.answer)
      expect(maxAge !== undefined, 'the JWK Set does not say how long it is good')
      const tokens = await issueJwts(service)
      const after = await service.fetchJwks()
      for (const { name, header, token } of tokens) {
        for (const { jwks } of [before, after]) {
          const isThere = jwks.keys.some(({ kid }) => kid === header.kid)
          expect(isThere, `the key of ${name} is not in the JWK Set`)
        }
        await service.verify(token)
      }
      const lost = before.jwks.keys.find(
        ({ kid }) => !after.jwks.keys.some((key) => key.kid === kid),
      )
      expect(lost === undefined, 'a key left the JWK Set between two requests')
    },
  },
  {
    row: 'C76',
    level: 'MUST',
    sentence:
      'The issuer is an https URL without query and fragment, the same to the letter everywhere.',
    needs: [],
    async run(service) {
      const { issuer, metadata } = service
      expect(metadata.issuer === issuer, `the metadata is of the issuer ${String(metadata.issuer)}`)
      const url = new URL(issuer)
      expect(!/[?#]/.test(issuer), 'the issuer has a query or a fragment')
      expect(url.protocol === 'https:' || isLoopback(url), 'the issuer is not https')
      if (needsAnyToken(service) !== undefined) return
      for (const { name, token } of await issueTokens(service)) {
        const iss = readJwt(token)?.claims.iss
        expect(iss === undefined || iss === issuer, `${name} is of the issuer ${String(iss)}`)
      }
    },
  },
  {
    row: 'C77',
    level: 'MUST',
    sentence: 'The metadata is JSON with status 200 between the host and the path of the issuer.',
    needs: [],
    async run(service) {
      const answer = await service.send(metadataUrl(service.issuer), {})
      expect(answer.status === 200, `there the answer is ${describeAnswer(answer)}`)
      expect(
        mediaTypeOf(answer) === 'application/json',
        `the metadata is ${mediaTypeOf(answer) || 'of no type'}`,
      )
      expect(textOf(answer.json.issuer) !== undefined, 'what stands there is no metadata')
    },
  },
  {
    row: 'C78',
    level: 'MUST',
    sentence:
      'The metadata has token_endpoint and response_types_supported; other lists are not empty.',
    needs: [],
    async run({ metadata, endpoint }) {
      const url = endpoint('token') ?? ''
      expect(URL.canParse(url), 'the metadata has no token_endpoint, or none that is a URL')
      const { response_types_supported: responseTypes } = metadata
      expect(Array.isArray(responseTypes), 'the metadata has no response_types_supported')
      // `response_types_supported` is required even without an authorization endpoint, so it alone
      // may be empty.
      const empty = Object.entries(metadata).find(
        ([name, value]) =>
          name !== 'response_types_supported' && Array.isArray(value) && value.length === 0,
      )
      expect(!empty, `the metadata has the empty list ${empty?.[0]}`)
    },
  },
  {
    row: 'C79',
    level: 'MUST',
    sentence: 'The listed client authentication methods are those that work, none is no algorithm.',
    needs: [needsEndpoint('token')],
    async run(service) {
      let seen = 0
      for (const name of ENDPOINTS) {
        if (!service.endpoint(name)) continue
        const methods = readAuthMethods(service, name)
        expectSigningAlgs(service, name, methods ?? [])
        if (methods === undefined) continue
        seen += 1
        await expectListedMethods(service, name, methods)
      }
      if (seen === 0) throw new NotApplicable('the metadata lists no authentication methods')
    },
  },
  {
    row: 'C80',
    level: 'MUST',
    sentence: 'The metadata is of its own issuer, whatever host a proxy header speaks of.',
    needs: [],
    async run(service) {
      const headers = [
        ['X-Forwarded-Host', 'other.invalid'],
        ['Forwarded', 'host=other.invalid;proto=https'],
      ] as const
      const { status, json } = await service.send(metadataUrl(service.issuer), { headers })
      if (status !== 200) throw new NotApplicable(`such a request is answered with ${status}`)
      // RFC 8414 §3.3: clients compare it with the issuer that they made the URL of.
      expect(json.issuer === service.issuer, `the issuer became ${String(json.issuer)}`)
    },
  },
  {
    row: 'C81',
    level: 'SHOULD',
    sentence:
      'Scripts of an origin that no client registered cannot read tokens or use credentials.',
    needs: [needsEndpoint('token'), needsClientToken],
    async run(service) {
      const { confidentialClient: client } = service.credentials
      const origin = [['Origin', STRANGER]] as const
      const grant = { grant_type: 'client_credentials' }
      expectClosed('the token endpoint', await service.post('token', grant, client, origin))
      if (service.endpoint('revocation')) {
        const answer = await service.post('revocation', { token: 'unknown-token' }, client, origin)
        expectClosed('the revocation endpoint', answer)
      }
      await expectNoCredentials(service)
    },
  },
]

/** `Access-Control-Allow-Origin` must be neither the stranger's origin nor `*`. */
function expectClosed(where: string, { headers }: Answer): void {
  const allowed = headers['access-control-allow-origin']
  expect(allowed !== STRANGER && allowed !== '*', `${where} may be read by any origin`)
}

/**
 * A preflight does not say which client calls, so any origin may pass it, but never with
 * credentials.
 */
async function expectNoCredentials({ metadata, issuer, endpoint, send }: TestedService) {
  const origin = ['Origin', STRANGER] as const
  const headers = [origin, ['Access-Control-Request-Method', 'POST']] as const
  const answers = [await send(endpoint('token') ?? '', { method: 'OPTIONS', headers })]
  for (const url of [metadataUrl(issuer), textOf(metadata.jwks_uri)]) {
    if (url !== undefined) answers.push(await send(url, { headers: [origin] }))
  }
  for (const { headers: answered } of answers) {
    const isOpen =
      answered['access-control-allow-origin'] === STRANGER &&
      answered['access-control-allow-credentials'] === 'true'
    expect(!isOpen, 'an unknown origin may use credentials')
  }
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}
