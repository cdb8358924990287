-- When a family that never rotates was last used. Null, or before the rotation, is the rotation itself:
-- so it is in families of the release before, which also leaves the column as it is when it rotates.
ALTER TABLE "families" ADD COLUMN "used_at_ms" BIGINT;
