// The process of `npm start` and of the image: the service, and nothing else.

import { describeFailure } from './describe-failure.ts'
import { serve } from './serve.ts'

// Where nobody reads it any more there is nobody to tell.
process.stderr.on('error', () => {})
serve(process.env).catch((error: unknown) => {
  process.stderr.write(`lineage: ${describeFailure(error)}\n`)
  process.exit(1)
})
