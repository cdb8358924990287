// What an administrator may say about a webhook, checked as a whole. The JSON types of the members
// are checked before, by the schema of the route.

import type { Checked, FieldError } from '../runtime/field-error.ts'
import type { WebhookSettings } from './webhook.ts'
import { findUrlProblem } from './webhook-url.ts'

const DESCRIPTION_LENGTH_MAX = 200
/** PostgreSQL keeps no NUL and no half of a pair, and nobody reads the other control characters. */
const UNREADABLE = /[\p{Cc}\p{Cs}]/u

/** The members of a request that makes a webhook. */
export type NewWebhookInput = Pick<WebhookSettings, 'url' | 'events'> & Partial<WebhookSettings>

/** What is not given is as it is by default. */
export function draftWebhook(input: NewWebhookInput): Checked<WebhookSettings> {
  return checkWebhook({ description: '', status: 'active', allowPrivateNetwork: false, ...input })
}

/** Every fault of the settings together. */
export function checkWebhook<T extends WebhookSettings>(settings: T): Checked<T> {
  const errors = [
    ...checkUrl(settings),
    ...checkEvents(settings.events),
    ...checkDescription(settings.description),
  ]
  return errors.length === 0 ? { ok: true, value: settings } : { ok: false, errors }
}

function checkUrl({ url, allowPrivateNetwork }: WebhookSettings): FieldError[] {
  const detail = findUrlProblem(url, allowPrivateNetwork)
  return detail === undefined ? [] : [{ pointer: '/url', detail }]
}

function checkEvents(events: WebhookSettings['events']): FieldError[] {
  const isGood = events.length > 0 && new Set(events).size === events.length
  return isGood ? [] : [{ pointer: '/events', detail: 'must be one or more, none of them twice' }]
}

function checkDescription(description: string): FieldError[] {
  const isGood = [...description].length <= DESCRIPTION_LENGTH_MAX && !UNREADABLE.test(description)
  const detail = `must be at most ${DESCRIPTION_LENGTH_MAX} characters, no control characters`
  return isGood ? [] : [{ pointer: '/description', detail }]
}
