// One operation of the contract with everything about it in one place: where it is, its own and its
// path's parameters, every reference followed but those to schemas, which the page links.

import {
  type Answer,
  type Contract,
  type Example,
  follow,
  type Header,
  METHODS,
  type Media,
  type Operation,
  type Parameter,
  type PathItem,
  type Ref,
  type Server,
} from './contract.ts'

export interface DocumentedOperation
  extends Pick<Operation, 'operationId' | 'summary' | 'description' | 'security'> {
  readonly tag: string
  readonly method: string
  /** Undefined for a message that we send. */
  readonly baseUrl: string | undefined
  /** Only of a path that lies elsewhere than the rest. */
  readonly server?: Server
  readonly path: string
  readonly parameters: readonly Parameter[]
  readonly bodies: readonly DocumentedBody[]
  readonly answers: readonly DocumentedAnswer[]
}

export interface DocumentedBody extends Pick<Media, 'schema'> {
  readonly mediaType: string
  readonly examples: readonly Example[]
}

export interface DocumentedAnswer extends Pick<Answer, 'description'> {
  /** As the contract names it: a number, or a class such as `2XX`. */
  readonly status: string
  readonly headers: readonly (readonly [name: string, header: Header])[]
  readonly bodies: readonly DocumentedBody[]
}

/** In the order of the contract. */
export function listOperations(contract: Contract): DocumentedOperation[] {
  const paths = Object.entries(contract.paths).flatMap(([path, item]) =>
    operationsOf(contract, path, item, (item.servers ?? contract.servers)[0]?.url),
  )
  const messages = Object.values(contract.webhooks).flatMap((item) =>
    operationsOf(contract, 'your URL', item, undefined),
  )
  return [...paths, ...messages]
}

function operationsOf(
  contract: Contract,
  path: string,
  item: PathItem,
  baseUrl: string | undefined,
): DocumentedOperation[] {
  return METHODS.flatMap((method) => {
    const operation = item[method]
    if (!operation) return []
    const { operationId, summary, description, security, tags } = operation
    const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])]
    return {
      operationId,
      summary,
      ...(description !== undefined && { description }),
      security,
      tag: tags[0] ?? '',
      method: method.toUpperCase(),
      baseUrl,
      ...(item.servers?.[0] && { server: item.servers[0] }),
      path,
      parameters: parameters.map((parameter) => follow(contract, parameter)),
      bodies: bodiesOf(contract, operation.requestBody?.content),
      answers: Object.entries(operation.responses).flatMap(([status, answer]) =>
        status === 'default' && baseUrl !== undefined ? [] : answerOf(contract, status, answer),
      ),
    }
  })
}

function answerOf(contract: Contract, status: string, answer: Answer | Ref): DocumentedAnswer {
  const { description, headers = {}, content } = follow(contract, answer)
  return {
    status,
    description,
    headers: Object.entries(headers).map(([name, header]) => [name, follow(contract, header)]),
    bodies: bodiesOf(contract, content),
  }
}

function bodiesOf(contract: Contract, content: Answer['content'] = {}): DocumentedBody[] {
  return Object.entries(content).map(([mediaType, { schema, examples = {} }]) => ({
    mediaType,
    schema,
    examples: Object.values(examples).map((example) => follow(contract, example)),
  }))
}
