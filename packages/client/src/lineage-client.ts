// What the package offers; every other file is its own business.

import type { PrivateKeyAuth } from './assertion-auth.ts'
import type { Fetch } from './bounded-exchange.ts'
import type { ClientAuth } from './client-auth.ts'
import type { ClientClock } from './client-clock.ts'
import { OAuthResponseError, type RequestFailure, TokenRequestError } from './client-errors.ts'
import { type DpopInput, generateDpopKey } from './dpop-prover.ts'
import { createFileCredentials } from './file-credentials.ts'
import type { IssuedToken, TokenType } from './issued-token.ts'
import type { PlatformAuth } from './platform-auth.ts'
import type { PrivateKeyInput } from './private-key.ts'
import type { ResourceFetch, ResourceInit } from './resource-fetch.ts'
import type { SecretSource } from './secret-source.ts'
import type { Credentials, CredentialsStore } from './shared-login.ts'
import { createTlsFetch, type TlsInput } from './tls-fetch.ts'
import {
  createTokenClient,
  type ExchangeWanted,
  type TokenClient,
  type TokenClientOptions,
  type Wanted,
} from './token-client.ts'
import {
  createTokenSource,
  type SourceGrant,
  type TokenCall,
  type TokenSource,
  type TokenSourceOptions,
} from './token-source.ts'

export type {
  ClientAuth,
  ClientClock,
  Credentials,
  CredentialsStore,
  DpopInput,
  ExchangeWanted,
  Fetch,
  IssuedToken,
  PlatformAuth,
  PrivateKeyAuth,
  PrivateKeyInput,
  RequestFailure,
  ResourceFetch,
  ResourceInit,
  SecretSource,
  SourceGrant,
  TlsInput,
  TokenCall,
  TokenClient,
  TokenClientOptions,
  TokenSource,
  TokenSourceOptions,
  TokenType,
  Wanted,
}
export {
  createFileCredentials,
  createTlsFetch,
  createTokenClient,
  createTokenSource,
  generateDpopKey,
  OAuthResponseError,
  TokenRequestError,
}
