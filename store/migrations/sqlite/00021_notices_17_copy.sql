-- +goose Up
INSERT INTO notices_17 (id, jurisdiction, logical_date, unit, role, kind, matter, job, state, tries, next_try, token, lease, data_at, superseded_by, reason, moved_by)
SELECT id, jurisdiction, logical_date, unit, role, kind, matter, job, state, tries, next_try, token, lease, data_at, superseded_by, reason, moved_by FROM notices WHERE id NOT IN (SELECT id FROM notices_17);
