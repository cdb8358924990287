-- Whose tokens prove who a client is, or whom a token is about: platforms that sign for their workloads.
CREATE TABLE "trusted_issuers" (
    "id" TEXT NOT NULL,
    "issuer" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "jwks" JSONB NOT NULL DEFAULT '{}',
    "jwks_uri" TEXT,
    "allow_private_network" BOOLEAN NOT NULL DEFAULT false,
    "audience" TEXT,
    "algs" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "replay" TEXT NOT NULL,
    "subjects" JSONB NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "trusted_issuers_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "trusted_issuers_issuer_key" ON "trusted_issuers"("issuer");

-- How often a token that may be used again was used, and from where first, when families live in PostgreSQL.
CREATE TABLE "token_uses" (
    "key" TEXT NOT NULL,
    "count" INTEGER NOT NULL,
    "source" TEXT NOT NULL,
    "ends_at_ms" BIGINT NOT NULL,

    CONSTRAINT "token_uses_pkey" PRIMARY KEY ("key")
);

CREATE INDEX "token_uses_ends_at_ms_idx" ON "token_uses"("ends_at_ms");
