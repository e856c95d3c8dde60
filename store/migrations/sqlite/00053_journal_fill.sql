-- +goose Up
-- Of writes before the journal, the instants of events are known.
INSERT INTO journal (jurisdiction, seq, at)
SELECT jurisdiction, seq, recorded_at FROM events WHERE NOT EXISTS (SELECT 1 FROM journal j WHERE j.jurisdiction = events.jurisdiction AND j.seq = events.seq);
