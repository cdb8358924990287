-- Failed guesses and known sources, where families live in PostgreSQL. A counter ends at ends_at_ms.
CREATE TABLE "throttle_counters" (
    "key" TEXT NOT NULL,
    "count" INTEGER NOT NULL,
    "ends_at_ms" BIGINT NOT NULL,

    CONSTRAINT "throttle_counters_pkey" PRIMARY KEY ("key")
);

CREATE INDEX "throttle_counters_ends_at_ms_idx" ON "throttle_counters"("ends_at_ms");
