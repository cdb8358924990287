// What the rest of the service is handed where calls are traced. Nothing in this file needs the SDK, so
// that whoever uses the type loads nothing of it.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RequestEnded } from '../ops/request-line.ts'
import type { TraceCall } from '../outbound/trace-call.ts'
import type { WatchCall } from '../runtime/call-watch.ts'

export interface RequestTracing {
  /**
   * Begins the span of a request, as the child of the caller's where that has sent one. From now on the
   * request's `traceparent` is that of this span, so that answer, log and calls of ours name it.
   */
  begin(request: IncomingMessage, response: ServerResponse): void
  /** Runs `work`, and what it goes on to do, as part of a request that has begun. */
  run(request: IncomingMessage, work: () => void): void
  /** Ends the span of the request that the line is of. */
  readonly ended: RequestEnded
}

export interface Tracing {
  readonly requests: RequestTracing
  /** Calls and waits that belong to a request; those of the background leave no span. */
  readonly watches: {
    readonly redis: WatchCall
    readonly postgresql: WatchCall
    readonly hashing: WatchCall
    readonly signing: WatchCall
  }
  readonly traceCall: TraceCall
}
