// Headers that must come once. Node keeps the first of two and drops the others in silence, where
// a proxy before it may have read the last (RFC 9110 §5.3).

import type { EndpointRequest } from './endpoint.ts'

/** Whether the request has the header, named in lower case, more than once. */
export function isRepeated({ raw }: Pick<EndpointRequest, 'raw'>, name: string): boolean {
  const { rawHeaders } = raw
  let count = 0
  // Names and values by turns; lengths first, because lower-casing all of them costs more.
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const header = rawHeaders[at]
    if (header?.length === name.length && header.toLowerCase() === name) count += 1
  }
  return count > 1
}
