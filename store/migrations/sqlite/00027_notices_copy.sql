-- +goose Up
-- That a letter was sent once more stood in its reason. Its seq is not known. 0 makes the door look at every event, while the
-- jurisdiction's would hide from it what was reported between the planning and the migration.
INSERT INTO notices (id, jurisdiction, logical_date, unit, role, kind, matter, job, state, tries, next_try, token, lease, data_at, superseded_by, reason, moved_by, seq, resent, settled)
SELECT id, jurisdiction, logical_date, unit, role, kind, matter, job, state, tries, next_try, token, lease, data_at, superseded_by, reason, moved_by, 0, reason LIKE 'sent once more after an unknown outcome%', '' FROM notices_17
WHERE id NOT IN (SELECT id FROM notices);
