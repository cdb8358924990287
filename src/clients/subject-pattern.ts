// How a subject of a trusted issuer is named: exactly, or with one `*` that stands for something within one
// segment. Platforms build subjects of segments, and what a stranger can choose must not reach into the
// next one.

const SUBJECT_LENGTH_MAX = 1024
/** GitHub, GitLab and Kubernetes part by colons, SPIFFE by slashes. */
const SEPARATOR = /[:/]/
/** Nothing that is a separator, or becomes one when somebody decodes it or reads it with another eye. */
const WITHIN_SEGMENT = /^[\x21-\x7e]+$/
const NOT_WITHIN_SEGMENT = /[:/\\%*]/

/** Why it names nobody, or undefined. */
export function findPatternProblem(pattern: string): string | undefined {
  if (pattern.length === 0 || pattern.length > SUBJECT_LENGTH_MAX) {
    return `must be 1 to ${SUBJECT_LENGTH_MAX} characters`
  }
  if (/[\p{Cc}\p{Cs}]/u.test(pattern)) return 'must not hold control characters'
  const stars = pattern.split('*').length - 1
  if (stars > 1) return 'must have one * at most'
  // Whatever stands there would be anybody of the issuer.
  if (stars === 1 && !SEPARATOR.test(pattern)) return 'must not have * in a subject of one segment'
  return undefined
}

/** Whether the pattern names the subject. One `*` is one or more characters, none of them a separator. */
export function matchesSubject(pattern: string, subject: string): boolean {
  const star = pattern.indexOf('*')
  if (star < 0) return pattern === subject
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)]
  if (subject.length <= before.length + after.length) return false
  if (!subject.startsWith(before) || !subject.endsWith(after)) return false
  const within = subject.slice(before.length, subject.length - after.length)
  return WITHIN_SEGMENT.test(within) && !NOT_WITHIN_SEGMENT.test(within)
}
