// The page of the contract: one HTML document, complete without scripts.

import type { Contract } from './contract.ts'
import { type DocumentedOperation, listOperations } from './documented-operation.ts'
import { type Html, html } from './html.ts'
import { viewOperation } from './operation-view.ts'
import { prose } from './prose.ts'
import { listShapes, viewSchema } from './schema-view.ts'

/** Links are relative to the page, which lies at `…/docs`. */
export function renderDocsPage(contract: Contract): string {
  const { info, tags, servers } = contract
  const operations = listOperations(contract)
  const groups = tags.map((tag) => ({
    ...tag,
    id: `tag-${tag.name}`,
    operations: operations.filter((operation) => operation.tag === tag.name),
  }))
  const shapes = listShapes(contract)
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${info.title} API</title>
<link rel="stylesheet" href="docs/style.css">
<link rel="icon" href="docs/icon.svg" type="image/svg+xml">
</head>
<body>
<a class="skip" href="#content">To the content</a>
<nav aria-label="Contents">
<p class="brand"><a href="#content">${info.title}</a> <span>${info.version}</span></p>
${groups.map(viewNavigation)}
<section><h2><a class="tag" href="#shapes">Shapes</a></h2></section>
</nav>
<main id="content">
<header>
<h1>${info.title} API</h1>
<p class="lead">${info.summary}</p>
<p class="facts"><span>Issuer <code>${servers[0]?.url}</code></span> <span>Version ${info.version}</span> <a href="openapi.json">openapi.json</a></p>
<div class="intro">${prose(info.description)}</div>
</header>
${groups.map(
  (group) => html`<section class="group" id="${group.id}">
<h2>${group.name}</h2>
<div class="intro">${prose(group.description)}</div>
<ul class="contents">${group.operations.map(viewLink)}</ul>
${group.operations.map((operation) => viewOperation(contract, operation))}</section>
`,
)}<section class="group" id="shapes">
<h2>Shapes</h2>
${shapes.map(
  ([name, schema]) => html`<article class="shape" id="shape-${name}">
<h3><a href="#shape-${name}">${name}</a></h3>
${viewSchema(contract, schema)}
</article>
`,
)}</section>
</main>
</body>
</html>
`
  return page.markup
}

interface Group {
  readonly id: string
  readonly name: string
  readonly operations: readonly DocumentedOperation[]
}

function viewNavigation({ id, name, operations }: Group): Html {
  return html`<section><h2><a class="tag" href="#${id}">${name}</a></h2><ul>${operations.map(viewLink)}</ul></section>
`
}

function viewLink({ operationId, summary, method }: DocumentedOperation): Html {
  return html`<li><a class="entry" href="#${operationId}"><span class="method ${method.toLowerCase()}">${method}</span>${summary}</a></li>`
}
