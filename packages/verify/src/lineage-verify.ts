// What the package offers; every other file is its own business.

import {
  type AccessTokenClaims,
  type Actor,
  type Confirmation,
  hasScope,
} from './access-token-claims.ts'
import { type CertificateInput, thumbprintOf } from './certificate-check.ts'
import { createExpressMiddleware } from './express-middleware.ts'
import { createFastifyHook, type HookOptions } from './fastify-hook.ts'
import type { Fetch } from './fetch-key-set.ts'
import {
  type NodeRequest,
  type PresentedRequest,
  presentRequest,
  type RequestView,
} from './presented-request.ts'
import { createProofNonces, type ProofNonces } from './proof-nonces.ts'
import { createProofReplays, type ProofReplays } from './proof-replays.ts'
import type { Refusal } from './refusal.ts'
import {
  type Authorized,
  createVerifier,
  type DpopOptions,
  type Verifier,
  type VerifierOptions,
} from './verifier.ts'
import {
  type RefusalCode,
  type RefusalReason,
  RefusedTokenError,
  UnavailableError,
} from './verify-errors.ts'

export type {
  AccessTokenClaims,
  Actor,
  Authorized,
  CertificateInput,
  Confirmation,
  DpopOptions,
  Fetch,
  HookOptions,
  NodeRequest,
  PresentedRequest,
  ProofNonces,
  ProofReplays,
  Refusal,
  RefusalCode,
  RefusalReason,
  RequestView,
  Verifier,
  VerifierOptions,
}
export {
  createExpressMiddleware,
  createFastifyHook,
  createProofNonces,
  createProofReplays,
  createVerifier,
  hasScope,
  presentRequest,
  RefusedTokenError,
  thumbprintOf,
  UnavailableError,
}
