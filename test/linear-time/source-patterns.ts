// Every regular expression of our code, packages included, found in its syntax tree.

import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'acorn'
import { transformSync } from 'esbuild'

const ROOT = new URL('../../', import.meta.url)

export interface SourcePattern {
  /** From src, or from the root where it is a package's; with slashes. */
  readonly file: string
  /** As it is written; what `new RegExp` or `match` is given is not known, so it is called so. */
  readonly text: string
}

export function findPatterns(): readonly SourcePattern[] {
  const packages = readdirSync(new URL('packages/', ROOT))
  return ['src/', ...packages.map((name) => `packages/${name}/src/`)]
    .flatMap((folder) =>
      readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' }).map(
        (file) => `${folder}${file.replaceAll('\\', '/')}`,
      ),
    )
    .filter((path) => path.endsWith('.ts') && !path.startsWith('src/generated/'))
    .sort()
    .flatMap((path) => patternsOf(path))
}

/** By the syntax tree of the file, so that what only looks like an expression is none. */
function patternsOf(path: string): SourcePattern[] {
  const text = readFileSync(new URL(path, ROOT), 'utf8')
  const { code } = transformSync(text, { loader: 'ts', target: 'esnext', format: 'esm' })
  return patternsIn(code).map((found) => ({ file: path.replace(/^src\//, ''), text: found }))
}

/** Of JavaScript: literals, `RegExp`, and texts that a method of String makes an expression of. */
export function patternsIn(code: string): readonly string[] {
  const found: string[] = []
  visit(parse(code, { ecmaVersion: 'latest', sourceType: 'module' }), (node) => {
    if (isLiteral(node)) found.push(code.slice(node.start, node.end))
    if (node.type === 'Identifier' && node.name === 'RegExp') found.push('new RegExp')
    const [given] = node.arguments ?? []
    if (given && isCompiling(node) && !isLiteral(given)) {
      found.push(`${node.callee?.property?.name} ${code.slice(given.start, given.end)}`)
    }
  })
  return found
}

/** The members that are read here, each of some kind of node. */
interface SyntaxNode {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly name?: string
  readonly regex?: object
  readonly callee?: SyntaxNode
  readonly property?: SyntaxNode
  readonly arguments?: readonly SyntaxNode[]
}

/** Methods that make a regular expression of whatever they are given. */
const COMPILING = new Set(['match', 'matchAll', 'search'])

function isLiteral(node: SyntaxNode): boolean {
  return node.type === 'Literal' && node.regex !== undefined
}

function isCompiling({ type, callee }: SyntaxNode): boolean {
  return type === 'CallExpression' && COMPILING.has(callee?.property?.name ?? '')
}

function visit(value: unknown, meet: (node: SyntaxNode) => void): void {
  if (typeof value !== 'object' || value === null || value instanceof RegExp) return
  if ('type' in value && 'start' in value) meet(value as SyntaxNode)
  for (const member of Object.values(value)) visit(member, meet)
}
