// One operation on the page: words on the one side, commands and answers to paste on the other.

import type { Contract } from './contract.ts'
import { formatCurl, formatJson } from './curl-example.ts'
import type {
  DocumentedAnswer,
  DocumentedBody,
  DocumentedOperation,
} from './documented-operation.ts'
import { type Html, html, join } from './html.ts'
import { inline, prose } from './prose.ts'
import { viewMember, viewSchema, viewType } from './schema-view.ts'

export function viewOperation(contract: Contract, operation: DocumentedOperation): Html {
  const { operationId, summary, method, path, description, security, server } = operation
  const needs = security.map(describeDemand).filter((demand) => demand !== undefined)
  return html`<article class="operation" id="${operationId}">
<h3><a href="#${operationId}">${summary}</a></h3>
<p class="line"><span class="method ${method.toLowerCase()}">${method}</span> <code>${breakable(path)}</code></p>
<div class="columns"><div class="words">
${server && html`<p class="needs">At <code>${server.url}</code>: ${inline(server.description ?? '')}</p>`}
${prose(description)}
${needs.length > 0 ? html`<p class="needs">Needs ${join(needs, ', or ')}.</p>` : undefined}
${viewParameters(contract, operation)}
${viewRequest(contract, operation)}
${viewAnswers(contract, operation)}
</div><div class="examples">${viewExamples(operation)}</div></div>
</article>
`
}

/** A long path may break before a slash. */
export function breakable(path: string): Html {
  const parts = path.split(/(?=\/)/)
  return html`${join(parts, html`<wbr>`)}`
}

function describeDemand(demand: Readonly<Record<string, readonly string[]>>): Html | undefined {
  const [scheme, scopes = []] = Object.entries(demand)[0] ?? []
  switch (scheme) {
    case 'bearer':
      return scopes.length > 0
        ? html`an access token with the scope <code>${scopes.join(' ')}</code>`
        : html`the access token of a user`
    case 'forwardedBearer':
      return html`an access token`
    case 'accessCookie':
      return html`the access cookie of a cookie client, where the gateway takes it`
    case 'clientBasic':
      return html`HTTP Basic`
    case 'refreshCookie':
      return html`the cookie of a cookie client`
    case undefined:
      return html`<code>client_id</code> in the form, with <code>client_secret</code> where there is one`
    default:
      return undefined
  }
}

const PLACES = { path: 'In the path', query: 'In the query', header: 'In the headers' } as const

function viewParameters(contract: Contract, { parameters }: DocumentedOperation): Html[] {
  return (['path', 'query', 'header'] as const).flatMap((place) => {
    const found = parameters.filter((parameter) => parameter.in === place)
    if (found.length === 0) return []
    const members = found.map(({ required: isRequired, ...parameter }) =>
      viewMember(contract, { ...parameter, isRequired }),
    )
    return html`<h4>${PLACES[place]}</h4><ul class="members">${members}</ul>`
  })
}

function viewRequest(contract: Contract, { bodies }: DocumentedOperation): Html | undefined {
  const [body] = bodies
  if (!body) return undefined
  const types = bodies.map(({ mediaType }) => html`<code>${mediaType}</code>`)
  return html`<h4>Body</h4><p class="media">${join(types, ' or ')}</p>${viewSchema(contract, body.schema)}`
}

function viewAnswers(contract: Contract, { answers, baseUrl }: DocumentedOperation): Html {
  const isRefusal = ({ status }: DocumentedAnswer) => /^[45]/.test(status)
  const successes = answers.filter((answer) => !isRefusal(answer))
  const refusals = answers.filter(isRefusal).flatMap(viewRefusal)
  return html`<h4>${baseUrl === undefined ? 'Your answer' : 'Answers'}</h4>
<ul class="answers">${successes.map((answer) => viewSuccess(contract, answer))}</ul>
${refusals.length > 0 ? html`<h4>Refusals</h4><ul class="answers">${refusals}</ul>` : undefined}`
}

function viewSuccess(contract: Contract, answer: DocumentedAnswer): Html {
  const { status, description, headers, bodies } = answer
  const shapes = bodies.map(
    ({ mediaType, schema }) => html`<code>${mediaType}</code> ${viewType(contract, schema)}`,
  )
  return html`<li><span class="status ok">${status === 'default' ? 'else' : status}</span><div>${inline(description)}${
    shapes.length > 0 ? html` <span class="type">${shapes}</span>` : undefined
  }${headers.map(
    ([name, header]) =>
      html`<div class="about"><code>${name}</code> ${inline(header.description)}</div>`,
  )}</div></li>`
}

/** One line for each code, as programs tell them apart. */
function viewRefusal({ status, description, headers, bodies }: DocumentedAnswer): Html[] {
  const notes = headers.filter(([name]) => name !== 'Cache-Control').map(([name]) => name)
  const carries =
    notes.length > 0
      ? html` <span class="about">With <code>${notes.join(', ')}</code>.</span>`
      : undefined
  const lines = bodies.flatMap(({ examples }) =>
    examples.map(({ summary, value }) => ({ code: codeOf(value), summary })),
  )
  if (lines.length === 0) lines.push({ code: undefined, summary: description })
  return lines.map(
    ({ code, summary }) =>
      html`<li><span class="status">${status}</span><div>${
        code === undefined ? undefined : html`<code class="name">${code}</code> `
      }${inline(summary)}${carries}</div></li>`,
  )
}

function codeOf(value: unknown): string | undefined {
  const { error, code } = value as { error?: string; code?: string }
  return error ?? code
}

function viewExamples(operation: DocumentedOperation): Html[] {
  const requests = operation.bodies.flatMap(({ examples }) => examples)
  const answers = operation.answers
    .filter(({ status }) => status.startsWith('2'))
    .flatMap(({ status, bodies }) => bodies.flatMap((body) => viewAnswerExamples(status, body)))
  if (operation.baseUrl === undefined) {
    return requests.map(({ summary, value }) => viewBlock(summary, formatJson(value)))
  }
  const commands =
    requests.length > 0
      ? requests.map(({ summary, value }) => viewBlock(summary, formatCurl(operation, value)))
      : [viewBlock('Request', formatCurl(operation))]
  return [...commands, ...answers]
}

function viewAnswerExamples(status: string, { examples }: DocumentedBody): Html[] {
  return examples.map(({ summary, value }) =>
    viewBlock(`${status} · ${summary}`, formatJson(value)),
  )
}

function viewBlock(title: string, text: string): Html {
  return html`<figure><figcaption>${inline(title)}</figcaption><pre tabindex="0"><code>${text}</code></pre></figure>`
}
