// What /token, /revoke and /introspect share: a strict form as the only body, nothing in the
// query, and answers that no cache keeps (RFC 6749 §3.2, §5.1).

import type { FastifyInstance, FastifyRequest } from 'fastify'
import { authenticateClient } from '../../client-auth/authenticate-client.ts'
import type { ClientAuthServices } from '../../client-auth/authentication-method.ts'
import { AUTHENTICATION_METHODS } from '../../client-auth/authentication-methods.ts'
import type { Client } from '../../clients/client.ts'
import { GRANTS } from '../../grants/grants.ts'
import { OAuthError } from '../../oauth/oauth-error.ts'
import type { Parameters } from '../../oauth/parameters.ts'
import type { RecordEvent } from '../../runtime/security-event.ts'
import type { EndpointReply, EndpointRequest } from '../server/endpoint.ts'
import { isRepeated } from '../server/repeated-header.ts'
import { noteCaller } from '../server/request-notes.ts'
import { sourceOf } from '../server/request-source.ts'
import { FORM_BODY_BYTES_MAX, parseFormBody } from './form-body.ts'

/** Parameter names of any grant, ours or not: in a URL they may give a credential away. */
const PARAMETER_NAMES: ReadonlySet<string> = new Set([
  ...GRANTS.flatMap(({ parameters }) => parameters),
  ...AUTHENTICATION_METHODS.flatMap(({ parameter = [] }) => parameter),
  'actor_token',
  'assertion',
  'client_assertion',
  'client_assertion_type',
  'client_id',
  'code',
  'code_verifier',
  'device_code',
  'grant_type',
  'resource',
  'scope',
  'subject_token',
  'token',
  'token_type_hint',
  'access_token',
])

const FORM_TYPE = 'application/x-www-form-urlencoded'
/** The spellings of most clients; Fastify reads the others. */
const FORM_TYPES: ReadonlySet<string> = new Set([
  FORM_TYPE,
  `${FORM_TYPE};charset=UTF-8`,
  `${FORM_TYPE}; charset=UTF-8`,
  `${FORM_TYPE};charset=utf-8`,
  `${FORM_TYPE}; charset=utf-8`,
])

/** What is answered to a form. */
type FormEndpoint = (
  form: Parameters,
  request: EndpointRequest,
  reply: EndpointReply,
) => Promise<unknown>

/** A POST endpoint that takes a form, and whose errors have the shape of RFC 6749 §5.2. */
export function registerFormEndpoint(
  app: FastifyInstance,
  path: string,
  answer: FormEndpoint,
): void {
  app.post(path, {
    bodyLimit: FORM_BODY_BYTES_MAX,
    config: {
      oauth: true,
      front: {
        kind: 'body',
        mediaTypes: FORM_TYPES,
        bytesMax: FORM_BODY_BYTES_MAX,
        answer(body, request, reply) {
          setNoStore(reply)
          return answer(parseFormBody(body), request, reply)
        },
      },
    },
    onRequest: async (request, reply) => {
      setNoStore(reply)
      // Credentials in a URL end up in logs and histories (RFC 6749 §2.3.1).
      const names = Object.keys(request.query as Record<string, unknown>)
      if (names.some((name) => PARAMETER_NAMES.has(name))) {
        throw new OAuthError('parameter_in_query')
      }
    },
    handler: async (request, reply) => answer(formOf(request), request, reply),
  })
}

/** Makes a form the only media type that the routes of this scope read. */
export function acceptFormsOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    FORM_TYPE,
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      if (isRepeated(request, 'content-type')) throw new OAuthError('body_not_form')
      return parseFormBody(body)
    },
  )
  app.addContentTypeParser('*', async () => {
    throw new OAuthError('body_not_form')
  })
}

/** The form of a request; a POST without a body or media type has none. */
function formOf(request: FastifyRequest): Parameters {
  const { body } = request
  if (typeof body !== 'object' || body === null) throw new OAuthError('body_not_form')
  return body as Parameters
}

export interface SenderCheck extends ClientAuthServices {
  readonly recordEvent: RecordEvent
}

/**
 * The client that sent a form, by whichever method it used. Throws OAuthError; failed
 * authentication is an event.
 */
export async function authenticateSender(
  request: EndpointRequest,
  form: Parameters,
  services: SenderCheck,
): Promise<Client> {
  if (isRepeated(request, 'authorization')) throw new OAuthError('client_two_mechanisms')
  try {
    const { headers, raw, server } = request
    const presented = { headers, form, certificate: () => server.presentedCertificate(raw) }
    const client = await authenticateClient(presented, services, () => sourceOf(request))
    noteCaller(request, { clientId: client.id, client })
    return client
  } catch (error) {
    if (error instanceof OAuthError) noteRefusal(error, request, services.recordEvent)
    throw error
  }
}

function noteRefusal(error: OAuthError, request: EndpointRequest, recordEvent: RecordEvent): void {
  const { clientId, reason } = error
  const known = clientId === undefined ? {} : { clientId }
  if (clientId !== undefined) noteCaller(request, { clientId })
  if (error.code !== 'invalid_client') return
  recordEvent({ type: 'client.authentication_failed', reason, ...known, ...sourceOf(request) })
}

/** Also on errors, and for HTTP/1.0 caches too (row C11 of the conformance suite). */
function setNoStore(reply: EndpointReply): void {
  reply.header('cache-control', 'no-store').header('pragma', 'no-cache')
}
