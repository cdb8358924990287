// C111: a status list that access tokens point to (Token Status List).

import { inflateSync } from 'node:zlib'
import { mediaTypeOf } from '../answer-headers.ts'
import { expect, NotApplicable } from '../conformance-check.ts'
import { issueJwts, readJwt } from '../issued-tokens.ts'
import { describeAnswer, type TestedService, textOf } from '../tested-service.ts'

const MEDIA_TYPE = 'application/statuslist+jwt'
const INFLATED_BYTES_MAX = 16 * 1024 * 1024
/** With four indexes that rise in small steps, chance is ruled out. */
const TOKENS = 4
/** One round may make several tokens, so an index that is counted may rise by this much. */
const STEP_MAX = 4

interface StatusReference {
  readonly idx: number
  readonly uri: string
}

/** Throws NotApplicable when the tokens point to no list. */
export async function checkStatusList(service: TestedService): Promise<void> {
  const references: StatusReference[] = []
  while (references.length < TOKENS) {
    const [jwt] = await issueJwts(service)
    references.push(readReference(jwt?.claims.status))
  }
  const steps = references.map(({ idx }, at) => idx - (references[at - 1]?.idx ?? idx))
  const isCounted = steps.slice(1).every((step) => step > 0 && step <= STEP_MAX)
  expect(!isCounted, 'the indexes of the tokens are counted up')
  for (const reference of references.slice(-1)) await checkList(service, reference)
}

function readReference(status: unknown): StatusReference {
  const list = memberOf(status, 'status_list')
  const [idx, uri] = [memberOf(list, 'idx'), textOf(memberOf(list, 'uri'))]
  if (list === undefined) throw new NotApplicable('the tokens name no status list')
  expect(Number.isInteger(idx) && Number(idx) >= 0, 'the idx of a token is no index')
  expect(uri !== undefined && /^https?:/.test(uri), 'the uri of a status list is no URL')
  return { idx: Number(idx), uri }
}

async function checkList(service: TestedService, { idx, uri }: StatusReference): Promise<void> {
  const answer = await service.send(uri, { headers: [['Accept', MEDIA_TYPE]] })
  expect(answer.status === 200, `the status list was answered with ${describeAnswer(answer)}`)
  const mediaType = mediaTypeOf(answer)
  expect(mediaType === MEDIA_TYPE, `the status list is ${mediaType || 'of no type'}`)
  const jwt = readJwt(answer.text)
  expect(jwt, 'the status list is no JWT')
  const { header, claims } = jwt
  const isTyped = /^(application\/)?statuslist\+jwt$/i.test(String(header.typ))
  expect(isTyped, `the status list has the typ ${String(header.typ)}`)
  await service.verify(answer.text)
  expect(claims.sub === uri, `the status list has the sub ${String(claims.sub)}`)
  expect(typeof claims.iat === 'number', 'the status list has no iat')
  expect(readStatus(claims.status_list, idx) === 0, 'a fresh token is not valid in its list')
}

function readStatus(list: unknown, idx: number): number {
  const bits = Number(memberOf(list, 'bits'))
  const packed = textOf(memberOf(list, 'lst'))
  expect([1, 2, 4, 8].includes(bits) && packed !== undefined, 'the list has no bits or no lst')
  const bytes = inflateSync(Buffer.from(packed, 'base64url'), {
    maxOutputLength: INFLATED_BYTES_MAX,
  })
  const byte = bytes.at(Math.floor((idx * bits) / 8))
  expect(byte !== undefined, 'the list is shorter than the idx of a token')
  return (byte >> ((idx * bits) % 8)) & (2 ** bits - 1)
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined
}
