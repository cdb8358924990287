// What support needs of a test: somewhere to say how its servers end. The chaos run has no test.

export interface Scope {
  teardown(close: () => unknown): void
}

export interface OpenedScope extends Scope {
  /** In reverse, as they were opened; the next ones run whatever one of them throws. */
  close(): Promise<void>
}

export function openScope(): OpenedScope {
  const closers: (() => unknown)[] = []
  return {
    teardown: (close) => void closers.push(close),
    async close() {
      for (const close of closers.splice(0).reverse()) {
        await Promise.resolve()
          .then(close)
          .catch(() => {})
      }
    },
  }
}
