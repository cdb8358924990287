-- How often a rotation's answer was asked for again from elsewhere.
ALTER TABLE "families" ADD COLUMN "retried_elsewhere" INTEGER NOT NULL DEFAULT 0;
