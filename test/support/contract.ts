// openapi.yaml as tests see it: its operations with references followed, and a validator that also
// refuses members which the contract does not name.

import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import ajvFormats from 'ajv-formats'
import { parse } from 'yaml'
import {
  type Answer,
  type Content,
  type Contract,
  follow,
  METHODS,
  type Operation,
  type Parameter,
} from '../../scripts/api-page/contract.ts'

export function readContract(): Contract {
  return parse(readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8')) as Contract
}

export interface ContractOperation {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly operation: Operation
  readonly parameters: readonly Parameter[]
  readonly body: Content | undefined
  readonly answers: Readonly<Record<string, Answer>>
}

/** Every operation that we answer. */
export function operationsOf(contract: Contract): ContractOperation[] {
  return Object.entries(contract.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method]
      if (!operation) return []
      const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])]
      const answers = Object.entries(operation.responses).map(([status, answer]) => [
        status,
        follow(contract, answer),
      ])
      return {
        id: operation.operationId,
        method: method.toUpperCase(),
        path,
        operation,
        parameters: parameters.map((parameter) => follow(contract, parameter)),
        body: operation.requestBody?.content,
        answers: Object.fromEntries(answers) as Record<string, Answer>,
      }
    }),
  )
}

/** The codes that an answer may carry, as its examples show them. */
export function codesOf(contract: Contract, answer: Answer): string[] {
  return Object.values(answer.content ?? {}).flatMap(({ examples = {} }) =>
    Object.values(examples).flatMap((example) => {
      const { code, error } = follow(contract, example).value as { code?: string; error?: string }
      return code ?? error ?? []
    }),
  )
}

/** What is wrong with a value by a schema of the contract; empty when nothing is. */
export function openValidator(contract: Contract): (schema: object, value: unknown) => string[] {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  ajvFormats.default(ajv)
  const closed = close(contract) as { components: object }
  return (schema, value) => {
    const validate = ajv.compile({ ...(close(schema) as object), components: closed.components })
    validate(value)
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    )
  }
}

/** Every object that lists its members has no others, unless it says so. */
function close(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(close)
  if (typeof node !== 'object' || node === null) return node
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, close(value)]))
  const isObject = typeof copy.properties === 'object' && !('additionalProperties' in copy)
  return isObject ? { ...copy, unevaluatedProperties: false } : copy
}
