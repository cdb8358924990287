-- Events in partitions by time, so that old ones are dropped as a whole. `events` becomes the first
-- partition, as it is: no row is read, none is written and no index is built, because it is the default
-- partition at first and has every index of the new table already. The release before goes on writing and
-- reading it. The service bounds it later, outside of any migration (src/events/first-partition.ts).

-- A reference would keep a partition from being dropped; a delivery names the moment of its event, so
-- that the event is looked for in one partition.
ALTER TABLE "webhook_deliveries" DROP CONSTRAINT "webhook_deliveries_event_id_fkey";
ALTER TABLE "webhook_deliveries" ADD COLUMN "event_at" TIMESTAMPTZ(3);

CREATE TABLE "audit_events" (
    "id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "type" TEXT NOT NULL,
    "reason" TEXT,
    "subject" TEXT,
    "client_id" TEXT,
    "session_id" TEXT,
    "ip" TEXT,
    "user_agent" TEXT,
    "detail" JSONB
) PARTITION BY RANGE ("at");

CREATE INDEX "audit_events_at_id_idx" ON "audit_events"("at", "id");
CREATE INDEX "audit_events_type_at_idx" ON "audit_events"("type", "at");
CREATE INDEX "audit_events_subject_at_idx" ON "audit_events"("subject", "at");
CREATE INDEX "audit_events_client_id_at_idx" ON "audit_events"("client_id", "at");
CREATE INDEX "audit_events_session_id_at_idx" ON "audit_events"("session_id", "at");

ALTER TABLE "audit_events" ATTACH PARTITION "events" DEFAULT;
