-- How clients prove themselves without a secret, what their tokens are bound to, and how they refresh.
ALTER TABLE "clients"
    ADD COLUMN "jwks" JSONB NOT NULL DEFAULT '{}',
    ADD COLUMN "jwks_uri" TEXT,
    ADD COLUMN "allow_private_network" BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN "assertion_algs" TEXT[] DEFAULT ARRAY[]::TEXT[],
    ADD COLUMN "federated_identities" JSONB NOT NULL DEFAULT '[]',
    ADD COLUMN "exchange" JSONB NOT NULL DEFAULT '[]',
    ADD COLUMN "dpop_bound_access_tokens" BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN "tls_client_auth" JSONB NOT NULL DEFAULT '{}',
    ADD COLUMN "tls_client_certificate_bound_access_tokens" BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN "refresh_rotation" TEXT NOT NULL DEFAULT 'always',
    ADD COLUMN "refresh_rotate_after_seconds" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "signing_alg" TEXT;
