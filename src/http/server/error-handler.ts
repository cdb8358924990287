// Every error becomes an answer here: RFC 6749 §5.2 JSON at the OAuth endpoints, RFC 9457 problem
// details elsewhere. What is not ours is logged and told to nobody.

import type { FastifyContextConfig, FastifyError, FastifyInstance } from 'fastify'
import { ManagementError } from '../../management/management-error.ts'
import { OAuthError, type OAuthReason } from '../../oauth/oauth-error.ts'
import { logEvent } from '../../ops/log-events.ts'
import { DependencyUnavailable } from '../../runtime/dependency-unavailable.ts'
import { AlreadyTaken, type FieldError } from '../../runtime/field-error.ts'
import { API_ERRORS, ApiError, type ApiErrorCode } from './api-error.ts'
import type { EndpointReply, EndpointRequest } from './endpoint.ts'
import { challenge } from './presented-token.ts'
import { callerFields } from './request-notes.ts'

/** When to come back after a dependency was away: about as long as reconnecting takes. */
const RETRY_AFTER_SECONDS = 2

/** A small body can hold thousands of unknown members; nobody reads that far. */
const FIELD_ERRORS_MAX = 32

/** Routes whose config says so answer in the shape of RFC 6749 §5.2. */
declare module 'fastify' {
  interface FastifyContextConfig {
    readonly oauth?: boolean
  }
}

export function setErrorHandler(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError | Error>((error, request, reply) =>
    sendError(error, request, reply),
  )
}

/** In the shape that the route's configuration asks for. */
export function sendError(
  error: Error,
  request: EndpointRequest & { readonly routeOptions: { readonly config: FastifyContextConfig } },
  reply: EndpointReply,
): void {
  if (error instanceof ManagementError && error.code === 'session_over') {
    // RFC 6750 §3
    reply.header('www-authenticate', challenge(request, 'invalid_token'))
  }
  if (request.routeOptions.config.oauth) sendOAuthError(toOAuthError(error), request, reply)
  else sendApiError(toApiError(error), request, reply)
}

function sendOAuthError(error: OAuthError, request: EndpointRequest, reply: EndpointReply): void {
  request.refusal = { code: error.code, reason: error.reason }
  logRefusal(error, error.reason, error.status, request)
  if (error.status === 401) {
    // RFC 6749 §5.2: 401 carries the challenge that the endpoint supports.
    reply.header('www-authenticate', 'Basic realm="lineage", charset="UTF-8"')
  }
  setRetryAfter(reply, error)
  reply
    .code(error.status)
    .header('cache-control', 'no-store')
    .header('pragma', 'no-cache')
    .type('application/json')
    .send({ error: error.code, error_description: error.description, ...error.members })
}

function sendApiError(error: ApiError, request: EndpointRequest, reply: EndpointReply): void {
  const reason = error.reason ?? error.code
  request.refusal = { code: error.code, reason }
  logRefusal(error, reason, error.status, request)
  setRetryAfter(reply, error)
  reply
    .code(error.status)
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .send(toProblem(error, request.id))
}

/**
 * RFC 9457 §3, with `code` as the stable name that programs switch on, and the id under which the log
 * has the request, where one was read: headers are often lost before somebody asks what went wrong.
 */
export function toProblem(error: ApiError, requestId?: string): Record<string, unknown> {
  return {
    type: 'about:blank',
    title: API_ERRORS[error.code].title,
    status: error.status,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    code: error.code,
    ...(error.errors === undefined ? {} : { errors: error.errors }),
    ...(requestId === undefined ? {} : { requestId }),
  }
}

function setRetryAfter(reply: EndpointReply, error: OAuthError | ApiError): void {
  const isTemporary = error.status === 503 || error.status === 429
  const seconds = error.retryAfterSeconds ?? (isTemporary ? RETRY_AFTER_SECONDS : undefined)
  if (seconds !== undefined) reply.header('retry-after', String(seconds))
}

function logRefusal(error: Error, reason: string, status: number, request: EndpointRequest): void {
  const line = { reason, status, ...callerFields(request) }
  // A full queue is no failure: in a flood, logging each as an error would hide real ones.
  const isTurnedAway = [error, error.cause].some(isFullQueue)
  if (status < 500 || isTurnedAway) logEvent(request.log, 'request.refused', line)
  else logEvent(request.log, 'request.failed', { ...line, err: error.cause ?? error })
}

const FULL_QUEUES: ReadonlySet<string> = new Set<OAuthReason>([
  'overloaded',
  'login_queue_full',
  'login_queue_timeout',
  'database_queue',
])

function isFullQueue(error: unknown): boolean {
  if (error instanceof DependencyUnavailable) return error.because === 'queue'
  return error instanceof OAuthError && FULL_QUEUES.has(error.reason)
}

function toOAuthError(error: Error): OAuthError {
  if (error instanceof OAuthError) return error
  if (error instanceof DependencyUnavailable) {
    const reason = error.because === 'queue' ? 'database_queue' : 'dependency_unavailable'
    return new OAuthError(reason, { cause: error })
  }
  const status = statusOf(error)
  if (status === 413) return new OAuthError('body_too_large', { cause: error })
  if (status === 415) return new OAuthError('body_not_form', { cause: error })
  if (status >= 400 && status < 500) return new OAuthError('request_malformed', { cause: error })
  return new OAuthError('unexpected', { cause: error })
}

/** Refusals of the lanes reach JSON endpoints too, and say the same there. */
const API_CODE_BY_STATUS: Readonly<Record<number, ApiErrorCode>> = {
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'body_too_large',
  415: 'unsupported_media_type',
  429: 'temporarily_unavailable',
  503: 'temporarily_unavailable',
}

function toApiError(error: Error): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof ManagementError) return toManagementRefusal(error)
  if (error instanceof AlreadyTaken) {
    const errors = [{ pointer: error.pointer, detail: 'is taken already' }]
    return new ApiError('conflict', { errors, cause: error })
  }
  if (error instanceof DependencyUnavailable) {
    return new ApiError('temporarily_unavailable', { cause: error })
  }
  const fieldErrors = validationErrors(error)
  if (fieldErrors) return new ApiError('validation_failed', { errors: fieldErrors, cause: error })
  const status = statusOf(error)
  const code = API_CODE_BY_STATUS[status]
  if (code) return new ApiError(code, { ...waitOf(error), status, cause: error })
  const isClientFault = status >= 400 && status < 500
  return new ApiError(isClientFault ? 'malformed_request' : 'internal_error', { cause: error })
}

function toManagementRefusal(error: ManagementError): ApiError {
  const { code, message, errors, cause } = error
  switch (code) {
    case 'invalid':
      return new ApiError('validation_failed', { errors })
    case 'conflict':
      return new ApiError('conflict', { detail: message })
    case 'wrong_password':
      return new ApiError('invalid_current_password')
    case 'unconfirmed':
      return new ApiError('invalid_confirmation_token')
    case 'wrong_code':
      return new ApiError('invalid_one_time_code')
    case 'session_over':
      return new ApiError('invalid_token')
    case 'unfinished':
      return new ApiError('temporarily_unavailable', { cause })
    case 'not_found':
      return new ApiError('not_found')
  }
}

/** When to come back, and for 429 why: its title is that of a service that is away. */
function waitOf(error: Error): { retryAfterSeconds?: number; detail?: string } {
  if (!(error instanceof OAuthError)) return {}
  const { retryAfterSeconds, status, description } = error
  return {
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    ...(status === 429 && { detail: description }),
  }
}

function statusOf(error: Error): number {
  if (error instanceof OAuthError || error instanceof ApiError) return error.status
  return 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500
}

/** Fastify's schema validation as field errors; undefined when the error is another one. */
function validationErrors(error: Error): FieldError[] | undefined {
  if (!('validation' in error) || !Array.isArray(error.validation)) return undefined
  const found = error.validation as NonNullable<FastifyError['validation']>
  return found.slice(0, FIELD_ERRORS_MAX).map(({ instancePath, keyword, params, message }) => {
    const member = params.missingProperty ?? params.additionalProperty
    const pointer = isPlainName(member) ? `${instancePath}/${member}` : instancePath
    if (keyword === 'required') return { pointer, detail: 'is required' }
    if (keyword === 'additionalProperties') return { pointer, detail: 'is not known here' }
    if (keyword === 'enum') {
      return { pointer, detail: `must be one of ${[params.allowedValues].flat().join(', ')}` }
    }
    return { pointer, detail: message ?? 'is not valid' }
  })
}

/** An unknown member's name comes from outside: only a harmless one is said back. */
function isPlainName(member: unknown): member is string {
  return typeof member === 'string' && /^\w{1,64}$/.test(member)
}
