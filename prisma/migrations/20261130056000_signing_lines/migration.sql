-- Keys of several algorithms sign at once: when a key signs where that is not `active_from`, when it
-- ends without a successor, and when an instance last had its algorithm configured.
ALTER TABLE "signing_keys"
    ADD COLUMN "signs_from" TIMESTAMPTZ(3),
    ADD COLUMN "signs_until" TIMESTAMPTZ(3),
    ADD COLUMN "wanted_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- A key that was followed by one of another algorithm has ended with that.
UPDATE "signing_keys" SET "signs_until" = "followed"."until"
FROM (
    SELECT "kid", "alg",
        lead("alg") OVER (ORDER BY "active_from", "kid") AS "next_alg",
        lead("active_from") OVER (ORDER BY "active_from", "kid") AS "until"
    FROM "signing_keys"
) AS "followed"
WHERE "signing_keys"."kid" = "followed"."kid" AND "followed"."next_alg" <> "followed"."alg";
