// How bodies are held against their schemas: as Fastify does it by itself, but its compiler is loaded
// with the first body that has a schema. It takes a fifth of a start, and serving tokens never needs it.

import { createRequire } from 'node:module'
import type { BuildCompilerFromPool } from '@fastify/ajv-compiler'
import type { FastifySchemaCompiler } from 'fastify'

type Compilers = typeof import('@fastify/ajv-compiler')
type Schemas = Parameters<BuildCompilerFromPool>[0]
type Options = Parameters<BuildCompilerFromPool>[1]
type Validate = ReturnType<FastifySchemaCompiler<object>>

const require = createRequire(import.meta.url)
let factory: BuildCompilerFromPool | undefined

export const BODY_SCHEMAS = {
  compilersFactory: {
    // Fastify's type asks for members of Ajv's own functions, which it does not use.
    buildValidator: validateLater as unknown as BuildCompilerFromPool,
    // No route has a schema of its answers.
    buildSerializer: () => () => JSON.stringify,
  },
}

function validateLater(schemas: Schemas, options: Options): FastifySchemaCompiler<object> {
  return (route) => {
    let compiled: Validate | undefined
    return (body: unknown) => {
      compiled ??= loadCompiler(schemas, options)(route)
      return compiled(body) === true ? { value: body } : { error: compiled.errors ?? [] }
    }
  }
}

/** One Ajv for all of them: the factory keeps one for each options. */
function loadCompiler(schemas: Schemas, options: Options): FastifySchemaCompiler<object> {
  const { AjvCompiler } = require('@fastify/ajv-compiler') as { AjvCompiler: Compilers }
  factory ??= AjvCompiler()
  // Its type is that of Ajv's own `compile`, and not what Fastify calls.
  return factory(schemas, options) as unknown as FastifySchemaCompiler<object>
}
