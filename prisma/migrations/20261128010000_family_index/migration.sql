-- Families that nobody ended but that were found dead leave the index of the live ones.
ALTER TABLE "families" ADD COLUMN "found_dead" BOOLEAN NOT NULL DEFAULT false;

-- What died before there was a mark for it. A user has at most 100 live families at a client.
UPDATE "families" AS f SET "found_dead" = true
WHERE f."ended_at_ms" IS NULL AND (
    LEAST(f."idle_expires_at_ms", f."absolute_expires_at_ms")
        <= EXTRACT(EPOCH FROM clock_timestamp()) * 1000
    OR EXISTS (
        SELECT FROM "family_users" AS u WHERE u."user_id" = f."user_id" AND u."epoch" > f."epoch"
    )
);

-- The live families of a user, and the others by age. The keys are expressions, so that no other
-- index serves the same condition, and the statistics are those of the few that live.
CREATE INDEX "families_live_idx" ON "families"((CASE WHEN ended_at_ms IS NULL AND NOT found_dead THEN user_id END), "client_id");
CREATE INDEX "families_ended_idx" ON "families"((CASE WHEN ended_at_ms IS NOT NULL OR found_dead THEN user_id END), "created_at_ms", "id");
