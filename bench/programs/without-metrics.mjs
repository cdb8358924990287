// Loaded before a build of Lineage, it puts what counts nothing in the place of what counts: the same
// service without its metrics, to be measured beside it.

import { register } from 'node:module'

/** By the end of the file's address. */
const REPLACED = {
  '/dist/metrics/counter.js': `export const openCounter = (facts) => ({
    facts, add() {}, addMany() {}, snapshot: () => ({ ...facts, type: 'counter', aggregator: 'sum', values: [] })
  })`,
  '/dist/metrics/histogram.js': `export const openHistogram = (facts) => ({
    facts, observe() {}, snapshot: () => ({ ...facts, type: 'histogram', aggregator: 'sum', values: [] })
  })`,
  '/dist/metrics/count-requests.js': `export const openRequestCounts = () => ({
    countRequest() {}, countAbandoned() {}
  })`,
  '/dist/wiring/open-watches.js': `import { UNWATCHED } from '../runtime/call-watch.js'
    export const openWatches = () => ({ redis: UNWATCHED, postgresql: UNWATCHED, hashing: UNWATCHED })`,
}

const hooks = `
  const replaced = ${JSON.stringify(REPLACED)}
  export async function load(url, context, next) {
    const found = Object.keys(replaced).find((end) => url.endsWith(end))
    return found ? { format: 'module', source: replaced[found], shortCircuit: true } : next(url, context)
  }`

register(`data:text/javascript,${encodeURIComponent(hooks)}`)
