// Values that many callers share and none may change.

/** Freezes a value out of JSON with all that is in it, and returns it. */
export function deepFreeze<Value>(value: Value): Value {
  const waiting: unknown[] = [value]
  for (const one of waiting) {
    if (typeof one !== 'object' || one === null) continue
    waiting.push(...Object.values(one))
    Object.freeze(one)
  }
  return value
}
