-- AlterTable
ALTER TABLE "journal" ADD COLUMN     "keep_until" TIMESTAMPTZ(3),
ADD COLUMN     "subject" TEXT;

-- CreateIndex
CREATE UNIQUE INDEX "journal_subject_key" ON "journal"("subject");

-- CreateIndex
CREATE INDEX "journal_keep_until_idx" ON "journal"("keep_until");
