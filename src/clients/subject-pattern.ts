// How a subject of a trusted issuer is named: exactly, or with one `*` that stands for something within one
// segment. Platforms build subjects of segments, and what a stranger can choose must not reach into the
// next one.

const SUBJECT_LENGTH_MAX = 1024
/** GitHub, GitLab and Kubernetes part by colons, SPIFFE by slashes. */
const SEPARATOR = /[:/]/
/** What the next segment of a subject of GitHub, GitLab or Kubernetes is the owner after, wherever it stands. */
const OWNER_FOLLOWS = new Set([
  'repo',
  'repository',
  'repository_owner',
  'repository_owner_id',
  'job_workflow_ref',
  'workflow_ref',
  'project_path',
  'namespace_path',
  'serviceaccount',
])
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
  if (isOwnerOpen(pattern)) {
    return 'must not have * in its first two segments, nor where the owner stands: an organization, a top group, a trust domain, a namespace'
  }
  return undefined
}

/**
 * Whether the `*` stands for, or in, the name of whose the subject is. Anybody can have a repository called
 * `web`; what platforms write first says what kind of name it is, and next whose.
 */
function isOwnerOpen(pattern: string): boolean {
  const segments = pattern.split(SEPARATOR).filter((segment) => segment !== '')
  const at = segments.findIndex((segment) => segment.includes('*'))
  return at >= 0 && (at < 2 || OWNER_FOLLOWS.has(segments[at - 1] ?? ''))
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
