// Which span a piece of work belongs to, wherever it goes on after a wait: what is called in between hands
// nothing on and knows of nothing.

import { AsyncLocalStorage } from 'node:async_hooks'
import { type Context, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api'

export interface ActiveSpan {
  readonly span: Span
  /** What children of it are begun in. */
  readonly context: Context
  /** Work that a request has left behind, such as the timer of a queue, is no part of it. */
  isOver: boolean
}

export interface ActiveSpans {
  enter(active: ActiveSpan, work: () => void): void
  /** Undefined outside of a request, and after its end. */
  current(): ActiveSpan | undefined
}

export function openActiveSpans(): ActiveSpans {
  const storage = new AsyncLocalStorage<ActiveSpan>()
  return {
    enter: (active, work) => storage.run(active, work),
    current() {
      const active = storage.getStore()
      return active?.isOver ? undefined : active
    },
  }
}

export function activeSpanOf(span: Span): ActiveSpan {
  return { span, context: trace.setSpan(ROOT_CONTEXT, span), isOver: false }
}
