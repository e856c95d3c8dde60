-- +goose Up
INSERT INTO notices (id, jurisdiction, logical_date, unit, role, kind, matter, job, state, tries, next_try, token, lease, data_at, superseded_by, reason, moved_by, seq, resent, settled)
SELECT id, jurisdiction, logical_date, unit, role, kind, matter, job, state, tries, next_try, token, lease, data_at, superseded_by, reason, moved_by, 0, FALSE, '' FROM notices_17
WHERE id NOT IN (SELECT id FROM notices);
